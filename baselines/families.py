"""Families of methods: what each assumes about wrong labels, and where it fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family in plain words.

    Attributes:
        title: how pages call it.
        assumes: what its methods take wrong labels to be, and what they do about them.
        fails: where that is not so, and what it costs.
    """

    title: str
    assumes: str
    fails: str


# By the name that `Method.family` has, in the order of a page.
FAMILIES = {
    "cross-entropy": Family(
        title="Cross-entropy and its variants",
        assumes=(
            "Every label is believed. The less probable the network finds a label, the harder that"
            " sample pulls, so wrong labels pull hardest of all. Networks first learn what many"
            " samples agree on and memorise single labels later. Focal loss gives hard samples even"
            " more weight. Label smoothing takes confidence from all labels alike; its negative"
            " form pushes away from the labels that were not given."
        ),
        fails=(
            "Accuracy rises, then falls, and falls further the more labels are wrong, unless"
            " training stops in time. Focal loss is no remedy. With label smoothing wrong labels"
            " are fitted less closely, but they are fitted. Its negative form has no lower bound,"
            " and with many classes or a large rate training diverges."
        ),
    ),
    "bounded": Family(
        title="Bounded losses of the label's probability",
        assumes=(
            "A label that the network finds improbable is taken for wrong and loses its pull. If"
            " the losses of a sample for all labels have the same sum whatever the prediction, as"
            " those of MAE have, then the best prediction under symmetric noise is the one without"
            " noise. Most methods here have a parameter that leads from cross-entropy, which learns"
            " fast and memorises, to MAE, which does neither. Asymmetric losses (AGCE, AUL, AEL)"
            " need only that the true class is still the most frequent label of its images."
        ),
        fails=(
            "Such a loss hardly moves a sample that starts out improbable: with many classes it"
            " learns few of them. No value of the parameter is best at every rate and number of"
            " classes, and published values differ by data set. All of them fail where wrong labels"
            " look probable: flips between similar classes, noise that depends on the image. Hard"
            " and rare samples are given up together with wrong labels."
        ),
    ),
    "normalised": Family(
        title="Normalised losses and their sums",
        assumes=(
            "Any loss divided by its sum over all labels has a constant such sum and is robust to"
            " symmetric noise like MAE. Alone it underfits, because the loss can fall by raising"
            " the other labels' losses as well as by lowering its own. So an active term, which"
            " raises the label's probability, is added to a passive one, which lowers the others'."
            " The argument for symmetric noise holds for every pair of weights."
        ),
        fails=(
            "The sum underfits less than its parts, but it underfits. The weights decide how fast"
            " it learns, and they do not carry over from one data set to another: published ones"
            " for ten classes underfit at a hundred. Noise that is not symmetric is outside the"
            " argument. The active negative losses were published with L1 regularisation, without"
            " which they overfit; under profile `matched` they do without it."
        ),
    ),
    "outputs": Family(
        title="Restricted outputs",
        assumes=(
            "What bounds the influence of a label here is the set of outputs that the network may"
            " give. Clipped logits cap the loss of any label. Outputs forced to be nearly one-hot"
            " (sparse regularisation, epsilon-softmax) make many losses nearly symmetric, and the"
            " fit to the labels then decides only which class it is. Softplus scores in LDR-KL do"
            " away with the normalisation that ties classes together."
        ),
        fails=(
            "A cap suits one number of classes and one rate: too tight, clean labels are not"
            " learned either; too loose, it is cross-entropy. Where most images of a class share"
            " the same wrong label, a nearly one-hot answer is wrong with confidence."
        ),
    ),
    "extra-output": Family(
        title="An extra output",
        assumes=(
            "One more output, which is no sample's label, takes probability from samples that are"
            " torn between their label and another class, so that the network need not memorise"
            " them. How much it takes is a matter of price. DAC and the gambler's loss were"
            " published with a first phase of cross-entropy, and DAC with a price that rises;"
            " forms whose price is constant from the first step are beside them. DAC's second"
            " training, without the samples abstained on, is left out."
        ),
        fails=(
            "At a low price the extra output takes everything and nothing is learned, at a high one"
            " it takes nothing and the loss is cross-entropy; the best price depends on the number"
            " of classes and on the noise. It helps where wrong labels contradict a class that the"
            " network knows; where wrong labels are consistent, flips to one similar class, they"
            " do not look torn."
        ),
    ),
    "transition": Family(
        title="Transition matrices",
        assumes=(
            "The given label is taken to depend on the true class alone, with probabilities T that"
            " are the same for every image. Then the network may predict the true class while its"
            " prediction, passed through T, is fitted to the given labels: with the true T and"
            " enough data that is right in the limit. The true T is known in experiments only, and"
            " methods that are told it are marked; those that estimate it need images that"
            " certainly belong to a class, or classes that are spread enough."
        ),
        fails=(
            "It is wrong where noise depends on the image. An estimate is read from a network that"
            " may have memorised the labels already. Fitting the labels through T is no guard"
            " against memorising either: many epochs bring it back. Backward correction has"
            " negative weights, which grow with the noise, and diverges where T is nearly singular."
        ),
    ),
    "correction": Family(
        title="Targets from the network's own predictions",
        assumes=(
            "Networks predict the true class of many mislabelled images before they memorise the"
            " labels. These methods hold on to that: they remember predictions of each sample, or"
            " use the current ones, and let them take over from the label. A memory has a row for"
            " every sample, and for most methods a number for every class in it."
        ),
        fails=(
            "What the network gets wrong early it then teaches itself: at high rates, under flips"
            " to a similar class or in the first epochs the correction confirms mistakes. The"
            " memory needs many visits to each sample before it holds anything, so the methods show"
            " little in a short training, and when correction begins is a hyper-parameter that"
            " published settings chose for each rate of noise. Bootstrapping remembers nothing and"
            " gives in to memorising in the end."
        ),
    ),
    "selection": Family(
        title="Selection and peer terms, one network",
        assumes=(
            "Wrong labels are taken to be those that the network finds improbable, and the samples"
            " are left out for a while, or for good. Peer loss selects nothing: it takes away what"
            " a blind fit to the labels of other samples would gain, which makes agreement with"
            " one's own label pay only where it is about the image. The theory is for noise that"
            " does not depend on the image and for balanced classes. PES leaves out samples that"
            " are classified otherwise than their label, after the last layers, which fit wrong"
            " labels first, have been trained anew for a few epochs."
        ),
        fails=(
            "Hard and rare samples are left out as well, and since a sample that is never trained"
            " on stays improbable, early mistakes last. With many classes or much noise a threshold"
            " can leave a class without samples; reports show what was kept of the class least"
            " kept (kept.md). Peer loss has no lower bound, so that its weight has to rise slowly."
        ),
    ),
    "pairs": Family(
        title="Two networks",
        assumes=(
            "Two networks with different first weights make different mistakes at first. Samples on"
            " which the loss is small are taken for clean, and each network learns from those of"
            " the other, or both from the common ones. All are told the noise rate, which nobody"
            " knows outside an experiment."
        ),
        fails=(
            "As training goes on the two become alike, and then a pair selects no better than one"
            " network; learning from disagreements alone (Co-teaching+) keeps them apart but leaves"
            " few samples. They keep the same share of all classes together: where only some"
            " classes are noisy, clean samples of the others make room for wrong ones. They cost"
            " two trainings, and a mean of two networks is better than one by itself; reports show"
            " the first network beside it."
        ),
    ),
    "semi-supervised": Family(
        title="Half-supervised learning",
        assumes=(
            "The samples are divided by their losses into likely clean ones, whose labels are used,"
            " and the rest, of which only the images are: their targets are the networks' own"
            " predictions for several views, made surer and mixed. So nothing is lost by leaving a"
            " wrong label out. UNICON and ProMix choose as many samples of each class, so that hard"
            " classes are not emptied. ELR+ divides nothing and holds on to what two networks and"
            " their slow copies predicted earlier."
        ),
        fails=(
            "It rests on the division: losses must fall into two groups, which they do for noise at"
            " random, less so where classes are confused or differ in difficulty, and a class that"
            " the first epochs have lost is guessed away for good. All cost several trainings and"
            " have the most settings, which published work chose for each rate of noise."
        ),
    ),
    "regularisation": Family(
        title="Regularised training",
        assumes=(
            "No label is judged; memorising is made harder for all. Mixup asks for predictions in"
            " proportion between images, which a network that has memorised single labels does not"
            " give. CDR lets only the weights learn that matter to the present fit, a share set by"
            " the noise rate, which it is told. Sharpness-aware minimisation (SAM) belongs here as"
            " well; it is part of the recipe (`sam_rho`) and goes with any method. Nothing is"
            " assumed about the noise."
        ),
        fails=(
            "Nothing is known about the noise afterwards either: wrong labels are fitted later or"
            " less closely, not left out, and the more of them there are, the less that helps."
        ),
    ),
}
