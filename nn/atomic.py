"""Files that are replaced as a whole: whatever happens, the old file or the new one is there, never half of one.

The new file is written beside the old one, forced to the disk (``fsync``) and then renamed over it, which POSIX makes
one indivisible step; ``fsync`` of the folder makes the new name last through a power cut.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator

from autograd_mini.errors import CheckpointError
from autograd_mini.printing import printable

if sys.platform != "win32":
    import fcntl

__all__ = ["LEFTOVER", "replace_file"]

LEFTOVER = re.compile(r"\.autograd_mini-[0-9a-f]{16}\.tmp")
"""The name of a file that is being written, or was when its process was killed."""

FIXES = {
    errno.ENOSPC: "free some space, or save on another disk",
    errno.EDQUOT: "free some space, or save on another disk",
    errno.EFBIG: "raise the limit (ulimit -f), or save on another disk",
    errno.EACCES: "make the file and its folder writable, or save in another folder",
    errno.EPERM: "make the file and its folder writable, or save in another folder",
    errno.EROFS: "save in a folder that can be written to",
    errno.ENOENT: "make the folder first (mkdir -p), or correct its name",
    errno.ENOTDIR: "give the path of a file in a folder",
    errno.EISDIR: "give the path of a file in that folder",
    errno.ENAMETOOLONG: "give a shorter name",
}


def replace_file(path: str | os.PathLike[str], parts: Iterable[bytes]) -> None:
    """Write `parts`, one after the other, as the new content of the file at `path`.

    A new file gets the mode that the umask gives; an old one keeps its mode. Of a symbolic link, the file it points to
    is replaced. Files left behind in the folder by killed processes are removed.

    Raises:
        CheckpointError: the file could not be saved; what was there before still is.
    """
    path, saved = os.fsdecode(path), False
    shown = printable(path, 300)
    try:
        target = os.path.realpath(path)
        mode = _mode_to_keep(target)
        with _folder(os.path.dirname(target)) as sync_folder:
            _write(target, mode, parts)
            saved = True
            sync_folder()
    except OSError as error:
        why = error.strerror or str(error)
        if saved:
            risk = "the new file is in place, but may not outlast a power cut, as its folder could not be synced"
            raise CheckpointError(f"{shown} is saved; {risk}: {why}; save again, or on another disk") from error
        fix = FIXES.get(error.errno or 0, "save in another folder, or on another disk")
        untouched = "what was there before is untouched"
        raise CheckpointError(f"{shown} could not be saved: {why}; {untouched}: {fix}") from error


def _mode_to_keep(target: str) -> int | None:
    """The mode of the old file, None if there is none; only a plain file that may be written is replaced."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "there is a folder of this name")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EEXIST, "there is a device, a pipe or a socket of this name")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file there is read-only")
    return stat.S_IMODE(mode) & 0o777


def _write(target: str, mode: int | None, parts: Iterable[bytes]) -> None:
    temporary = os.path.join(os.path.dirname(target), f".autograd_mini-{secrets.token_hex(8)}.tmp")
    try:
        first = 0o666 if mode is None else 0o600  # private until it has the mode of the old file
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, first)) as file:
            if mode is not None:
                os.chmod(temporary, mode)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:  # a KeyboardInterrupt leaves no file behind either
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def _folder(folder: str) -> Iterator[Callable[[], None]]:
    """Open the folder, clear it of leftovers, and give the function that syncs it.

    Everybody who writes holds a shared lock on the folder. Who gets the exclusive one knows, therefore, that nobody is
    writing: each temporary file there is a leftover.
    """
    if sys.platform == "win32":
        yield lambda: None  # there, a folder can be neither opened nor synced
        return
    try:
        opened = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {printable(folder, 300)}") from None
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks; then leftovers stay
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for name in filter(LEFTOVER.fullmatch, os.listdir(folder)):
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(folder, name))
            fcntl.flock(opened, fcntl.LOCK_SH)
        yield lambda: _sync(opened)
    finally:
        os.close(opened)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # this file system does not sync folders, nor need it
            raise
