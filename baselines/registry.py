"""Methods by name: the files of methods/, entry points of other packages, and module:Class."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from nlbench.baselines import plain
from nlbench.baselines.errors import MethodError, suggestion
from nlbench.baselines.method import Method, Published, Scalar
from nlbench.outside import Kind

OUTSIDE = Kind("method", "nlbench.methods", MethodError)
PROFILES = ("matched", "official", "tuned")

_NAME = re.compile(r"[a-z][a-z0-9_.+-]*")
_METHODS: dict[str, type[Method]] = {}
M = TypeVar("M", bound=Method)


def register(name: str) -> Callable[[type[M]], type[M]]:
    """Enter a method class under a name (small letters, digits, `_ . + -`).

    Raises:
        MethodError: a name that does not fit or is taken, or a class that is no usable method.
    """
    if not _NAME.fullmatch(name):
        raise MethodError(f"method name {name!r} may only have small letters, digits and _ . + -")

    def enter(cls: type[M]) -> type[M]:
        usable(name, cls)
        taken = _METHODS.get(name)
        if taken is not None and _where(taken) != _where(cls):
            raise MethodError(f"method name {name!r} is taken by {_where(taken)}")
        cls.name = name
        _METHODS[name] = cls
        return cls

    return enter


def names() -> tuple[str, ...]:
    """Return the names of all methods, sorted: this package's and those of entry points."""
    return tuple(sorted({*_registered(), *OUTSIDE.names()}))


def get(name: str) -> type[Method]:
    """Return the class of a method.

    Args:
        name: a name from `names()`, or `module:Class` for a class that is nowhere registered.

    Raises:
        MethodError: no such method (with the nearest right name), two packages that claim one name,
            or a class that cannot be imported or is no usable method.
    """
    if not isinstance(name, str):
        raise MethodError(f"a method's name is a string, not {name!r}")
    found = {usable(name, OUTSIDE.imported(name, point)) for point in OUTSIDE.claims(name)}
    found |= {cls for key, cls in _registered().items() if key == name}
    if not found:
        raise MethodError(f"unknown method {name!r}{suggestion(name, names())}")
    if len(found) > 1:
        claims = " and by ".join(sorted(map(_where, found)))
        raise MethodError(f"method name {name!r} is claimed by {claims}")
    return found.pop()


def create(name: str, params: Mapping[str, object] | None = None) -> Method:
    """Return the method of that name with these hyper-parameters, defaults for the rest.

    Raises:
        MethodError: no such method or hyper-parameter (with the nearest right name), or a value of
            the wrong type or outside its range.
    """
    cls = get(name)
    given = dict(params or {})
    fields = dataclasses.fields(cls)
    known = [field.name for field in fields]
    for key in given:
        if key not in known:
            raise MethodError(
                f"method {name!r} has no hyper-parameter {key!r}{suggestion(key, known)}"
            )
    for field in fields:
        if field.name not in given and _required(field):
            raise MethodError(f"method {name!r} needs its hyper-parameter {field.name!r}")
    method = cls(**given)
    plain.check_params(name, method.params())
    return method


def setting(name: str, family: str, profile: str) -> Published:
    """Return what a method is run with on a family of data sets.

    Args:
        name: as for `get`.
        family: cifar10, cifar100, mini_webvision, clothing1m, mnist, fashion_mnist, ...
        profile: `official` gives the published hyper-parameters and the release's own learning rate
            and regularisation; `matched` the published hyper-parameters (the class defaults where
            there are none) and no recipe of its own, so that all methods train alike; `tuned` the
            same, on top of which a suite writes what was chosen.

    Returns:
        Only what the source sets: a user's changes go on top, then `create` fills in the defaults.

    Raises:
        MethodError: unknown method or profile, or `official` where nothing was published.
    """
    cls = get(name)
    if profile not in PROFILES:
        raise MethodError(f"unknown profile {profile!r}{suggestion(profile, PROFILES)}")
    published = cls.published.get(family)
    if profile != "official":
        params: Mapping[str, Scalar] = published.params if published else {}
        source = published.source if published else f"defaults of method {name!r}"
        return Published(params=params, recipe={}, source=source)
    if published is None:
        there = ", ".join(sorted(cls.published)) or "no data set"
        raise MethodError(
            f"method {name!r} has no official setting for {family!r}: there is one for {there}; "
            f"use profile 'matched'"
        )
    return dataclasses.replace(published)


def usable(name: str, cls: object) -> type[Method]:
    """Return the class if it is a concrete Method and a dataclass, else raise MethodError."""
    if not (isinstance(cls, type) and issubclass(cls, Method)):
        raise MethodError(f"method {name!r}: {cls!r} is not a subclass of baselines.Method")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise MethodError(f"method {name!r}: {_where(cls)} does not define {missing}")
    if "__dataclass_fields__" not in vars(cls):
        # Without its own decorator the class would silently lose the hyper-parameters it declares.
        raise MethodError(
            f"method {name!r}: {_where(cls)} lacks @dataclass(frozen=True, kw_only=True)"
        )
    plain.check_title(name, cls.title)
    return cls


@functools.cache
def _load_package() -> None:
    """Import every file of `nlbench.baselines.methods` once; each registers what it defines.

    Imported here and not above: those files import this one.
    """
    importlib.import_module("nlbench.baselines.methods").load_all()


def _registered() -> Mapping[str, type[Method]]:
    _load_package()
    return _METHODS


def _where(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _required(field: dataclasses.Field[object]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing
