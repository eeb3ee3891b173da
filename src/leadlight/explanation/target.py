"""Which class is meant: by code or by description."""

from __future__ import annotations

from collections.abc import Sequence

from leadlight.errors import LabelError, kind_of, nearest


def find_class(classes: Sequence[tuple[str, str]], target: str) -> str:
    """Code of the class that ``target`` names.

    classes: (code, description) pairs; target: a code or a description, in any
    case. Raises LabelError with the nearest class for anything else.
    """
    if not isinstance(target, str):
        raise LabelError(
            f"target: found {kind_of(target)}; accepted: a code or a description, or a list of them: "
            f"{', '.join(code for code, _ in classes)}."
        )
    wanted = target.strip().casefold()
    # Codes after descriptions: where both are spelled alike, the code is meant.
    spellings = {description.casefold(): code for code, description in classes if description}
    spellings.update({code.casefold(): code for code, _ in classes})
    if wanted in spellings:
        return spellings[wanted]
    near = nearest(wanted, spellings, cutoff=0.5)
    # "infarction" for "Myocardial infarction": near in meaning, far in letters.
    within = [code for name, code in spellings.items() if len(wanted) > 3 and wanted in name]
    guess = spellings[near] if near is not None else within[0] if within else ""
    description = dict(classes).get(guess, "")
    hint = f" Did you mean {guess}{f' ({description})' if description else ''}?" if guess else ""
    accepted = ", ".join(code for code, _ in classes)
    raise LabelError(f"target: found {target!r}; accepted: {accepted}, or their descriptions.{hint}")
