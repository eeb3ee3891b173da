"""Thresholds for calling a finding. Fit them on the validation fold, never on the fold that is reported.

A rule is text: "best-f1", "youden", "sensitivity=0.9", "specificity=0.95", "fmax", or a number such as
"0.5", which all classes share and nothing is fitted for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import EvaluationError, did_you_mean
from leadlight.evaluation.arrays import Bools, Floats, checked
from leadlight.evaluation.intervals import Estimate, Resamples, estimate
from leadlight.evaluation.metrics import fmax

RULES = ("best-f1", "youden", "sensitivity=NUMBER", "specificity=NUMBER", "fmax", "NUMBER")
_BY_CLASS = ("best-f1", "youden", "sensitivity", "specificity")
_WITH_TARGET = ("sensitivity", "specificity")
_CHUNK = 64


@dataclass(frozen=True)
class ThresholdRule:
    """A rule, read from its text by ``ThresholdRule.read``.

    kind: "best-f1": the largest F1 of the class. "youden": the largest sensitivity + specificity - 1
    (Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3). "sensitivity": the
    highest threshold that finds the share ``target`` of the positives. "specificity": the lowest that
    calls no more than 1 - target of the negatives. "fmax": one for all classes, with the largest
    record-centred F. "fixed": ``target`` for all. Of equal maxima the highest threshold is taken.
    """

    kind: str
    target: float = np.nan

    @classmethod
    def read(cls, text: str) -> ThresholdRule:
        """The rule that a text states. Raises EvaluationError."""
        kind, _, number = text.partition("=")
        if kind in ("best-f1", "youden", "fmax") and not number:
            return cls(kind)
        try:
            target = float(number if kind in _WITH_TARGET else text)
        except ValueError:
            names = [name.partition("=")[0] for name in RULES[:-1]]
            raise EvaluationError(
                f"rule: found {text!r}; accepted: {', '.join(RULES)}.{did_you_mean(kind, names)}"
            ) from None
        if kind in _WITH_TARGET and 0 < target < 1:
            return cls(kind, target)
        if kind not in _WITH_TARGET and 0 <= target <= 1:
            return cls("fixed", target)
        raise EvaluationError(f"rule: found {text!r}; accepted: a share between 0 and 1.")

    def __str__(self) -> str:
        if self.kind == "fixed":
            return f"{self.target:g} for every class"
        return f"{self.kind}={self.target:g}" if self.kind in _WITH_TARGET else self.kind


def fit_thresholds(
    truth: ArrayLike,
    scores: ArrayLike,
    known: ArrayLike | None = None,
    rule: str | ThresholdRule = "best-f1",
) -> Floats:
    """A threshold for each class, (classes,) float64; a finding is called when score >= threshold.

    truth, scores, known: (records, classes) of the validation fold; rule: see ``ThresholdRule``.
    Thresholds are observed scores. NaN for a class that has nothing to choose by: no known positives,
    no known negatives for "youden" and "specificity", or no score at which the wanted share is reached.
    """
    positive, values, mask = checked(truth, scores, known)
    wanted = rule if isinstance(rule, ThresholdRule) else ThresholdRule.read(rule)
    n_classes = positive.shape[1]
    if wanted.kind == "fixed":
        return np.full(n_classes, wanted.target)
    if wanted.kind == "fmax":
        return np.full(n_classes, fmax(positive, values, None, mask).threshold)
    fitted = np.empty(n_classes)
    for k in range(n_classes):
        rows = mask[:, k]
        steps = _Steps.of(positive[rows, k], values[rows, k], wanted)
        fitted[k] = steps.choose(wanted, np.ones((1, int(rows.sum()))))[0]
    return fitted


def threshold_estimates(
    truth: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    known: ArrayLike | None = None,
    rule: str | ThresholdRule = "best-f1",
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    """The fitted threshold of each class with its interval: the rule applied to each resample of patients.

    patients: (records,). Classes with few positive patients are resampled within positives and negatives
    (``Resamples``). Shared thresholds ("fmax", a number) have no interval.
    """
    positive, values, mask = checked(truth, scores, known)
    wanted = rule if isinstance(rule, ThresholdRule) else ThresholdRule.read(rule)
    fitted = fit_thresholds(positive, values, mask, wanted)
    if wanted.kind not in _BY_CLASS:
        return tuple(Estimate(float(one)) for one in fitted)
    drawn = Resamples(patients, resamples, seed)
    found = []
    for k, value in enumerate(fitted):
        rows = mask[:, k]
        weights = drawn.of_class((positive & mask)[:, k])[0][:, rows]
        steps = _Steps.of(positive[rows, k], values[rows, k], wanted)
        found.append(estimate(float(value), steps.choose(wanted, weights)))
    return tuple(found)


def best_f1(truth: ArrayLike, scores: ArrayLike, known: ArrayLike | None = None) -> Floats:
    """The largest F1 of each class over all its observed scores as thresholds, (classes,).

    Chosen on the records it is measured on, so too good to report: it bounds what thresholds can do.
    """
    positive, values, mask = checked(truth, scores, known)
    best = np.empty(positive.shape[1])
    for k in range(positive.shape[1]):
        rows = mask[:, k]
        steps = _Steps.of(positive[rows, k], values[rows, k], ThresholdRule("best-f1"))
        best[k] = steps.f1(np.ones((int(rows.sum()), 1))).max(initial=-np.inf)
    return np.where(np.isfinite(best), best, np.nan)


@dataclass(frozen=True)
class _Steps:
    """The records of one class from the highest score down, and the scores that can be its threshold.

    All scores for "specificity". For the other rules those of positives: from there down to the next
    positive nothing more is found.
    """

    order: NDArray[np.intp]
    positives: NDArray[np.intp]  # the same, of positives alone
    ends: NDArray[np.intp]  # how much of ``order`` is called at each step
    positive_ends: NDArray[np.intp]  # how many positives
    thresholds: Floats

    @classmethod
    def of(cls, positive: Bools, scores: Floats, rule: ThresholdRule) -> _Steps:
        order = np.argsort(-scores, kind="stable")
        descending, shown = scores[order], positive[order]
        values = descending[shown] if rule.kind != "specificity" else descending
        thresholds = -np.unique(-values)
        ends = np.searchsorted(-descending, -thresholds, side="right")
        positive_ends = np.searchsorted(-descending[shown], -thresholds, side="right")
        return cls(order, order[shown], ends, positive_ends, thresholds)

    def choose(self, rule: ThresholdRule, weights: Floats) -> Floats:
        """The rule's threshold under each weighting, (weightings,); NaN where nothing tells it."""
        chosen = np.full(len(weights), np.nan)
        if not len(self.thresholds) or not len(self.positives):
            return chosen
        choose = self._reach if rule.kind in _WITH_TARGET else self._best
        for begin in range(0, len(weights), _CHUNK):
            rows = slice(begin, begin + _CHUNK)
            chosen[rows] = choose(rule, np.ascontiguousarray(weights[rows].T))
        return chosen

    def f1(self, weights: Floats) -> Floats:
        """F1 at each step, (steps, weightings), for weights (records, weightings); -inf without positives."""
        found, called, n_positive, _ = self._counts(weights)
        # A ratio of whole numbers, rounded once: equal F1 are equal to the bit, so the first is the highest.
        return np.where(n_positive > 0, 2 * found / np.maximum(called + n_positive, 1), -np.inf)

    def _best(self, rule: ThresholdRule, weights: Floats) -> Floats:
        if rule.kind == "best-f1":
            values = self.f1(weights)
        else:
            found, called, n_positive, n_negative = self._counts(weights)
            # Sensitivity + specificity - 1, times both numbers: whole numbers again.
            values = found * n_negative - (called - found) * n_positive
            values = np.where((n_positive > 0) & (n_negative > 0), values, -np.inf)
        best = values.argmax(axis=0)
        return np.where(np.isfinite(values[0]), self.thresholds[best], np.nan)

    def _reach(self, rule: ThresholdRule, weights: Floats) -> Floats:
        found, called, n_positive, n_negative = self._counts(weights)
        # A share such as 0.9 x 10 must not fail for its last digit.
        if rule.kind == "sensitivity":
            enough = found >= rule.target * n_positive - 1e-9
            first = np.where(n_positive > 0, enough.argmax(axis=0), -1)
        else:
            allowed = (1 - rule.target) * n_negative + 1e-9
            first = ((called - found) <= allowed).sum(axis=0) - 1
            first = np.where((n_positive > 0) & (n_negative > 0), first, -1)
        return np.where(first >= 0, self.thresholds[np.maximum(first, 0)], np.nan)

    def _counts(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Positives and records at or above each step, (steps, weightings); their numbers, (weightings,)."""
        found = _upto(weights[self.positives], self.positive_ends)
        called = _upto(weights[self.order], self.ends)
        n_positive = weights[self.positives].sum(axis=0)
        return found, called, n_positive, weights[self.order].sum(axis=0) - n_positive


def _upto(values: Floats, ends: NDArray[np.intp]) -> Floats:
    """Sums of the first ``ends`` rows, (ends, columns); ends do not fall and are at least 0."""
    sums = np.zeros((len(ends), values.shape[1]))
    begins = np.r_[0, ends[:-1]]
    some = ends > begins
    if some.any():
        # One sum for each part that is not empty; the last one stops at the last end.
        sums[some] = np.add.reduceat(values[: ends[-1]], begins[some], axis=0)
    return np.asarray(np.cumsum(sums, axis=0))
