"""The number of classes at fixed noise: accuracy, chance, and who leads where."""

from __future__ import annotations

from nlbench.reports.topics.classes.find import ClassStudy, class_studies
from nlbench.reports.topics.classes.page import classes_texts, headlines

__all__ = ["ClassStudy", "class_studies", "classes_texts", "headlines"]
