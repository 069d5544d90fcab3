"""Unpacking a zip that somebody else made: nothing leaves the folder, nothing grows without end."""

import errno
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sm_platform.errors import DataError, GranuleError
from sm_platform.formats.magic import mistaken_for

BLOCK_BYTES = 1 << 20
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises over damaged, encrypted or unknown content (names that are no text too)."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What zipfile unpacks block by block; of bzip2 and LZMA one block may fill the memory."""
RESERVED = set('\\:*?"<>|\0')


@dataclass(slots=True)
class Allowance:
    """What may still be unpacked, from a zip and from all zips in it: counted down on the way."""

    bytes_left: int = 2 << 30
    files_left: int = 20_000


def unpacked(path: Path, folder: Path, allowance: Allowance) -> list[Path]:
    """Write the regular files of a zip below an existing folder; returns them in its order.

    Sizes are checked before anything is written, and bytes are counted while they are written:
    what the zip says of its sizes is not believed.

    Raises:
        GranuleError: naming the member; an empty, damaged or encrypted zip, a name that leads out
            of the folder, a link, two members of one name, more bytes or files than allowed.
        DataError: there is no room for the files; the zip may be good.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            _check(path, members, allowance)
            return [_unpack(path, archive, member, (folder, allowance)) for member in members]
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise DataError(
                f"{folder}: there is no room to unpack {path.name} ({error.strerror}): free some, "
                "or set TMPDIR to a folder that has it."
            ) from error
        raise GranuleError(_what_is_wrong(path, error)) from error


def _what_is_wrong(path: Path, error: Exception) -> str:
    if not path.is_file():
        return f"{path.name}: cannot be opened in {path.parent}: fetch it."
    if not zipfile.is_zipfile(path):
        what = mistaken_for(path)
        what = "cut off" if what == "a ZIP archive" else f"{what}, not a zip"
        return f"{path.name}: is {what}: fetch it again."
    said = (str(error).splitlines() or [type(error).__name__])[0][:160]
    return f"{path.name}: the zip is damaged or encrypted ({said}): fetch it again."


def _check(path: Path, members: list[zipfile.ZipInfo], allowance: Allowance) -> None:
    if not members:
        raise GranuleError(f"{path.name}: the zip is empty: fetch it again.")
    if len(members) > allowance.files_left:
        raise GranuleError(
            f"{path.name}: the zip has {len(members)} files, more than the {allowance.files_left} "
            "that may be unpacked: bring fewer."
        )
    seen: set[tuple[str, ...]] = set()
    for member in members:
        _check_member(path, member)
        name = PurePosixPath(member.filename.casefold()).parts
        if name in seen:
            raise GranuleError(
                f"{path.name}: the member {member.filename!r} is in the zip twice: pack it anew."
            )
        seen.add(name)
    if sum(member.file_size for member in members) > allowance.bytes_left:
        raise _too_big(path, max(members, key=lambda member: member.file_size), allowance)


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    if not _is_safe(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
        raise GranuleError(
            f"{path.name}: the member {member.filename!r} leads out of its folder or is a link: do "
            "not use this zip."
        )
    if member.compress_type not in METHODS:
        raise GranuleError(
            f"{path.name}: the member {member.filename!r} is packed by a method that is not read "
            f"here ({member.compress_type}): pack it anew as an ordinary zip."
        )


def _is_safe(name: str) -> bool:
    """Whether a member's name stays below its folder on every system."""
    parts = PurePosixPath(name).parts
    is_relative = bool(parts) and not name.startswith("/")
    return is_relative and ".." not in parts and not RESERVED & set(name)


def _too_big(path: Path, member: zipfile.ZipInfo, allowance: Allowance) -> GranuleError:
    return GranuleError(
        f"{path.name}: {member.filename} and the other files unpack to more than the "
        f"{allowance.bytes_left >> 20} MiB that are left for it: unpack it yourself and bring the "
        "files that matter."
    )


def _unpack(
    path: Path,
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    into: tuple[Path, Allowance],
) -> Path:
    """The member's file; stops one block after the limit."""
    folder, allowance = into
    target = folder.joinpath(*PurePosixPath(member.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    allowance.files_left -= 1
    with archive.open(member) as source, target.open("xb") as out:
        while block := source.read(BLOCK_BYTES):
            if len(block) > allowance.bytes_left:
                raise _too_big(path, member, allowance)
            allowance.bytes_left -= len(block)
            out.write(block)
    return target
