"""The contract of a model folder: what goes in, what comes out, and where the weights come from.

``contract.json`` is this value as JSON. Reading it needs no torch.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from leadlight import __version__
from leadlight.classifier.calibration import Calibration, PredictionSets, lengths_disagree
from leadlight.classifier.contract_errors import explain_validation_error
from leadlight.classifier.contract_schemas import from_schema_1
from leadlight.classifier.json_object import parse_json_object
from leadlight.errors import ContractError
from leadlight.signal import Metadata, Preprocessing

SCHEMA_VERSION = 2
CONTRACT_FILE = "contract.json"
LARGEST_CONTRACT_BYTES = 4 * 1024 * 1024
LARGEST_INTEGER_ARGUMENT = 1_000_000
"""Of an architecture's own arguments, which are depths, widths and lengths."""

NonEmpty = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=20_000)]
Samples = Annotated[int, Field(ge=1, le=100_000_000)]
StatedPreprocessing = Annotated[
    Preprocessing,
    PlainValidator(lambda values: Preprocessing.from_dict(values)),
    PlainSerializer(lambda value: value.to_dict()),
]
StatedMetadata = Annotated[
    Metadata | None,
    PlainValidator(lambda values: None if values is None else Metadata.from_dict(values)),
    PlainSerializer(lambda value: None if value is None else value.to_dict()),
]
LeadNames = Annotated[tuple[NonEmpty, ...], Field(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Architecture(_Part):
    """The registered model and everything that its constructor was given."""

    name: NonEmpty
    n_classes: Annotated[int, Field(ge=1, le=10_000)]
    n_leads: Annotated[int, Field(ge=1, le=64)]
    n_samples: Samples
    sampling_rate: Rate
    arguments: dict[str, JsonValue] = {}


class Input(_Part):
    """What the model accepts: leads in this order, Hz, samples, millivolts."""

    leads: LeadNames
    sampling_rate: Rate
    n_samples: Samples
    units: Literal["mV"]


class LabelSpaceName(_Part):
    """The label space that the classes come from."""

    name: NonEmpty
    version: NonEmpty


class ModelClass(_Part):
    """One output of the model."""

    code: NonEmpty
    description: str


class Thresholds(_Part):
    """Probability from which a class counts as found, one a class, in the order of the classes.

    rule: how they were fitted; folds and n_records: on which records, () and 0 where on none;
    low, high: 95% intervals over resampled patients, None for a class that has none, () for none at all.
    """

    values: tuple[Share, ...]
    rule: NonEmpty
    folds: tuple[int, ...] = ()
    n_records: Annotated[int, Field(ge=0)] = 0
    low: tuple[Share | None, ...] = ()
    high: tuple[Share | None, ...] = ()


class DataPart(_Part):
    """One of several data sets. counts: "training records", "validation records"."""

    dataset: NonEmpty
    version: str
    title: str = ""
    licence: str = ""
    counts: dict[str, Annotated[int, Field(ge=0)]]


class TrainingData(_Part):
    """The data behind the weights. counts: "training records", "validation patients", ...

    parts: each data set where there are several, () for one; dataset is then "ptb-xl + challenge-2021".
    """

    dataset: NonEmpty
    version: str
    title: str = ""
    licence: str = ""
    counts: dict[str, Annotated[int, Field(ge=0)]]
    parts: tuple[DataPart, ...] = ()


class Folds(_Part):
    """Folds that the weights were fitted on, and those that chose among them."""

    training: tuple[int, ...]
    validation: tuple[int, ...]


class Metrics(_Part):
    """What was measured on the validation folds. values: None where a metric is not defined."""

    folds: tuple[int, ...]
    n_records: Annotated[int, Field(ge=0)]
    values: dict[str, float | None]


class SeenFolds(_Part):
    """Folds of a data set that weights were fitted on, or that chose among them."""

    dataset: NonEmpty
    version: str
    training: tuple[int, ...]
    validation: tuple[int, ...]


class Origin(_Part):
    """The model whose weights the training began with.

    label_space: what it had been trained for; head: whether its last layer was kept or made anew;
    data: everything that it had learnt from, its own origin's data included; notes: what of its
    input differed.
    """

    name: NonEmpty
    weights_sha256: NonEmpty
    label_space: NonEmpty
    head: Literal["fresh", "kept"]
    data: tuple[SeenFolds, ...]
    notes: tuple[str, ...] = ()


class Versions(_Part):
    """Software that made the weights."""

    leadlight: NonEmpty
    torch: str
    python: NonEmpty


class Contract(_Part):
    """Everything that a model folder states beside its weights.

    Made by ``contract_from`` (plain values) or ``read_contract`` (a folder). A
    contract whose parts disagree raises ContractError. metadata: None where the model
    reads the signal alone; calibration: what its probabilities, and so thresholds and sets, went through,
    None for nothing; origin: None where its weights were drawn at random;
    weights_sha256 is empty until ``save_model`` has written the weights.
    """

    schema_version: Literal[2]
    name: NonEmpty
    created: AwareDatetime
    architecture: Architecture
    input: Input
    preprocessing: StatedPreprocessing
    metadata: StatedMetadata = None
    label_space: LabelSpaceName
    classes: Annotated[tuple[ModelClass, ...], Field(min_length=1)]
    thresholds: Thresholds
    calibration: Calibration | None = None
    prediction_sets: PredictionSets | None = None
    training_data: TrainingData
    folds: Folds
    origin: Origin | None = None
    recipe: dict[str, JsonValue]
    seed: int
    metrics: Metrics
    versions: Versions
    licence: str
    citations: tuple[str, ...]
    limits: tuple[str, ...]
    weights_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]

    @model_validator(mode="after")
    def _parts_agree(self) -> Contract:
        for problem in _disagreements(self):
            raise ContractError(problem)
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the classes, in the order of the model's outputs."""
        return tuple(item.code for item in self.classes)

    @property
    def seen(self) -> tuple[SeenFolds, ...]:
        """Everything that the weights have learnt from, their origin's data first."""
        before = () if self.origin is None else self.origin.data
        data = self.training_data
        return (*before, *(
            SeenFolds(
                dataset=one.dataset, version=one.version,
                training=self.folds.training, validation=self.folds.validation,
            )
            for one in data.parts or (data,)
        ))  # fmt: skip

    def to_json(self) -> str:
        """The text of contract.json."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def contract_from(values: Mapping[str, Any]) -> Contract:
    """A contract from plain values (dicts, lists, numbers), as contract.json has them.

    ``preprocessing`` may be a Preprocessing, ``metadata`` a Metadata, ``classes`` may be (code, description)
    pairs. What follows from the rest may be left out: schema_version, input,
    created, versions, weights_sha256. Raises ContractError, naming the key.
    """
    full = dict(values)
    if isinstance(full.get("preprocessing"), Preprocessing):
        full["preprocessing"] = full["preprocessing"].to_dict()
    if isinstance(full.get("metadata"), Metadata):
        full["metadata"] = full["metadata"].to_dict()
    if isinstance(full.get("classes"), Sequence):
        full["classes"] = [
            item if isinstance(item, Mapping) else {"code": item[0], "description": item[1]}
            for item in full["classes"]
        ]
    preprocessing = full.get("preprocessing")
    if isinstance(preprocessing, Mapping):
        shared = {key: preprocessing.get(key) for key in ("leads", "sampling_rate", "n_samples")}
        full.setdefault("input", {**shared, "units": "mV"})
    full.setdefault("schema_version", SCHEMA_VERSION)
    full.setdefault("weights_sha256", "")
    full.setdefault("created", datetime.now(UTC).isoformat(timespec="seconds"))
    full.setdefault("versions", current_versions())
    try:
        text = json.dumps(full, default=_plain_number, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractError(f"contract: found a value that JSON cannot hold ({error}).") from error
    return parse_contract(text.encode(), "contract")


def parse_contract(text: bytes, where: str = CONTRACT_FILE) -> Contract:
    """The contract that a JSON text states. where: named in errors. Raises ContractError."""
    raw = parse_json_object(text, where, LARGEST_CONTRACT_BYTES)
    found = raw.get("schema_version", SCHEMA_VERSION)
    if type(found) is int and found == 1:
        raw = from_schema_1(raw, where)
    elif found != SCHEMA_VERSION:
        raise ContractError(
            f"{where}, schema_version: found {found!r}; accepted: 1 or {SCHEMA_VERSION}. "
            "A later Leadlight wrote this folder: pip install --upgrade leadlight."
        )
    try:
        return Contract.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise explain_validation_error(error, Contract, where) from error
    except ContractError as error:
        raise ContractError(f"{where}, {error}") from error


def read_contract(folder: str | Path) -> Contract:
    """The contract of a model folder, checked. Raises ContractError; needs no torch."""
    path = Path(folder) / CONTRACT_FILE
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_CONTRACT_BYTES + 1)
    except FileNotFoundError:
        raise ContractError(
            f"{folder}: found no {CONTRACT_FILE}; a model folder holds model.safetensors, "
            f"{CONTRACT_FILE} and MODEL_CARD.md."
        ) from None
    return parse_contract(text, str(path))


def current_versions() -> dict[str, str]:
    """Versions of the software that runs now."""
    return {
        "leadlight": __version__,
        "torch": version("torch"),
        "python": platform.python_version(),
    }


def _disagreements(contract: Contract) -> Iterator[str]:
    """What the parts of a contract say against each other."""
    architecture, given, steps = contract.architecture, contract.input, contract.preprocessing
    n_classes = len(contract.classes)
    if architecture.n_classes != n_classes:
        yield f"architecture.n_classes: found {architecture.n_classes}; accepted: {n_classes}, one a class."
    if len(contract.thresholds.values) != n_classes:
        found = len(contract.thresholds.values)
        yield f"thresholds.values: found {found} values; accepted: {n_classes}, one a class."
    for key in ("low", "high"):
        found = len(getattr(contract.thresholds, key))
        if found not in (0, n_classes):
            yield f"thresholds.{key}: found {found} values; accepted: {n_classes}, one a class, or none."
    yield from lengths_disagree(contract.calibration, contract.prediction_sets, n_classes)
    repeated = sorted({code for code in contract.codes if contract.codes.count(code) > 1})
    if repeated:
        yield f"classes: found the code {repeated[0]!r} twice; accepted: each code once."
    if given.leads != steps.leads:
        yield (
            f"preprocessing.leads: found {', '.join(steps.leads)}; "
            f"accepted: {', '.join(given.leads)}, as input.leads says."
        )
    if architecture.n_leads != len(given.leads):
        n_leads = len(given.leads)
        yield f"architecture.n_leads: found {architecture.n_leads}; accepted: {n_leads}, as input.leads says."
    for key in ("sampling_rate", "n_samples"):
        right = getattr(given, key)
        for place, part in (("preprocessing", steps), ("architecture", architecture)):
            if getattr(part, key) != right:
                yield f"{place}.{key}: found {getattr(part, key)}; accepted: {right}, as input.{key} says."
    both = sorted(set(contract.folds.training) & set(contract.folds.validation))
    if both:
        yield f"folds: found fold {both[0]} in training and in validation; accepted: in one of them."
    for place, folds in (("thresholds", contract.thresholds.folds), ("metrics", contract.metrics.folds)):
        outside = sorted(set(folds) - set(contract.folds.validation))
        if outside:
            accepted = ", ".join(map(str, contract.folds.validation))
            yield f"{place}.folds: found {outside[0]}; accepted: validation folds only ({accepted})."
    for key, value in architecture.arguments.items():
        numbers = value if isinstance(value, list) else [value]
        if any(isinstance(one, int) and abs(one) > LARGEST_INTEGER_ARGUMENT for one in numbers):
            largest = LARGEST_INTEGER_ARGUMENT
            yield f"architecture.arguments.{key}: found {value}; accepted: up to {largest:,}."


def _plain_number(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a plain value")
