"""Files of objectives, told apart by their version and read together.

Why all files at once: an OpenSLO object may name another in any file. Why nothing is skipped in
silence: an SLO that was not read is a promise the gate does not keep. So a document of an unknown
format is refused where its file was named, and warned of where it merely lay in the folder; one
that looks like objectives of another version is always refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gate.errors import UsageError, did_you_mean
from gate.objectives import openslo, pyrra, sloth
from gate.objectives.manifest import Manifest, manifests
from gate.reading import noted
from gate.slo import Slo

Reader = Callable[[Sequence[Manifest]], Iterator[Slo]]
FAMILIES = ("openslo", "prometheus/", "sloth", "pyrra")
OBJECTIVES = ("SLO", "PrometheusServiceLevel", pyrra.KIND)


@dataclass(frozen=True, slots=True)
class Declared:
    """The objectives of some files; each warning is `file:line: sentence`."""

    slos: tuple[Slo, ...]
    warnings: tuple[str, ...]


def read(path: Path, *, period: float = sloth.PERIOD) -> Declared:
    """The objectives in a file, or in all *.yaml and *.yml below a folder; raises UsageError.

    `period`: the window in seconds of Sloth's, whose specs have none (its --default-slo-period).
    """
    warnings: list[str] = []
    readers = _readers(period)
    given: dict[str, list[Manifest]] = {version: [] for version in readers}
    for file in _files(path):
        for manifest in manifests(_text(file), str(file), warnings):
            if manifest.version in readers:
                given[manifest.version].append(manifest)
            else:
                _pass_over(manifest, readers, named=not path.is_dir())
    slos = [slo for version, reader in readers.items() for slo in reader(given[version])]
    if not slos:
        raise UsageError(f"{path}: declares no SLO", f"known formats: {', '.join(readers)}")
    _check_unique(slos)
    return Declared(tuple(slos), tuple(dict.fromkeys(warnings)))


def _readers(period: float) -> Mapping[str, Reader]:
    of_sloth = partial(sloth.read, period=period)
    return {
        "openslo/v1": openslo.read,
        "prometheus/v1": of_sloth,
        "sloth.slok.dev/v1": of_sloth,
        "pyrra.dev/v1alpha1": pyrra.read,
    }


def _files(path: Path) -> list[Path]:
    if not noted(path).is_dir():
        return [path]
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix in (".yaml", ".yml")
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not files:
        raise UsageError(f"{path}: holds no *.yaml or *.yml", "name a file or folder of SLOs")
    return files


def _text(file: Path) -> str:
    try:
        return noted(file).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text (byte {error.start})") from None
    except FileNotFoundError:
        raise UsageError(f"{file}: no such file", "name a file or folder of SLOs") from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None


def _pass_over(manifest: Manifest, readers: Mapping[str, Reader], *, named: bool) -> None:
    version = manifest.version
    if named or _looks_like_objectives(manifest):
        key = "version" if "version" in manifest.data else "apiVersion"
        told = f"unknown {key} {version!r}{did_you_mean(version, readers)}"
        raise manifest.refuse(
            (key,) if version else (),
            told if version else "apiVersion is missing",
            f"known: {', '.join(readers)}",
        )
    about = f"{manifest.kind or 'a document'} of {version or 'no version'}"
    manifest.warn((), f"{about} declares no objective that is known here; passed over")


def _looks_like_objectives(manifest: Manifest) -> bool:
    if manifest.kind in OBJECTIVES or (not manifest.version and "slos" in manifest.data):
        return True
    return manifest.version.startswith(FAMILIES)


def _check_unique(slos: Sequence[Slo]) -> None:
    first: dict[str, Slo] = {}
    for slo in slos:
        if slo.name in first:
            raise UsageError(
                f"{slo.origin}: a second SLO is named {slo.name!r}",
                f"the first is at {first[slo.name].origin}; rename one, or read them apart",
            )
        first[slo.name] = slo
