"""Unpacking a zip that somebody else made: nothing leaves the folder, nothing grows without end."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from sm_platform.errors import GranuleError

BLOCK_BYTES = 1 << 20
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What zipfile raises over damaged, encrypted or unknown content."""
RESERVED = set(':*?"<>|\0')


def unpacked(
    path: Path, folder: Path, *, most_bytes: int = 2 << 30, most_files: int = 20_000
) -> list[Path]:
    """Write the regular files of a zip below an existing folder; returns them in its order.

    Bytes are counted while they are written: what the zip says of its sizes is not believed.

    Raises:
        GranuleError: naming the member; an empty, damaged or encrypted zip, a name that leads out
            of the folder, a link, two members of one name, more bytes or files than allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            _check(path, members, most_files)
            left = most_bytes
            found = []
            for member in members:
                target = folder.joinpath(*PurePosixPath(member.filename).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _write(archive, member, target, left)
                if left < 0:
                    raise GranuleError(
                        f"{path.name}: {member.filename} unpacks to more than {most_bytes >> 20} "
                        "MiB in all: unpack it yourself and bring the files that matter."
                    )
                found.append(target)
    except DAMAGE as error:
        raise GranuleError(
            f"{path.name}: the zip is damaged or encrypted ({error}): fetch it again."
        ) from error
    return found


def _check(path: Path, members: list[zipfile.ZipInfo], most_files: int) -> None:
    if not members:
        raise GranuleError(f"{path.name}: the zip is empty: fetch it again.")
    if len(members) > most_files:
        raise GranuleError(
            f"{path.name}: the zip has {len(members)} files, more than {most_files}: bring fewer."
        )
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if not _is_safe(name) or stat.S_ISLNK(member.external_attr >> 16):
            raise GranuleError(
                f"{path.name}: the member {name!r} leads out of its folder or is a link: do not "
                "use this zip."
            )
        if name.casefold() in seen:
            raise GranuleError(f"{path.name}: the member {name!r} is in the zip twice.")
        seen.add(name.casefold())


def _is_safe(name: str) -> bool:
    """Whether a member's name stays below its folder on every system."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_relative = bool(parts) and not name.startswith(("/", "\\"))
    return is_relative and ".." not in parts and not RESERVED & set(name) and "\\" not in name


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Bytes written; stops one block after the limit."""
    written = 0
    with archive.open(member) as source, target.open("xb") as out:
        while written <= most and (block := source.read(BLOCK_BYTES)):
            written += len(block)
            out.write(block)
    return written
