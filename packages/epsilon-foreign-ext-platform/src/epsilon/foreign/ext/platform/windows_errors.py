"""Windows' system error codes: names, words, and the errno each amounts to.

"System Error Codes" (https://learn.microsoft.com/windows/win32/debug/system-error-codes), those that calls of the C
and Windows APIs leave most often. What errno each amounts to is what Python itself takes it for on Windows. Elsewhere
there is no GetLastError; the table serves for reading what a program on Windows has logged.
"""

from __future__ import annotations

import errno

#: Code: name, words, errno.
_TABLE: dict[int, tuple[str, str, int]] = {
    0: ("ERROR_SUCCESS", "The operation completed successfully.", 0),
    1: ("ERROR_INVALID_FUNCTION", "Incorrect function.", errno.EINVAL),
    2: ("ERROR_FILE_NOT_FOUND", "The system cannot find the file specified.", errno.ENOENT),
    3: ("ERROR_PATH_NOT_FOUND", "The system cannot find the path specified.", errno.ENOENT),
    4: ("ERROR_TOO_MANY_OPEN_FILES", "The system cannot open the file.", errno.EMFILE),
    5: ("ERROR_ACCESS_DENIED", "Access is denied.", errno.EACCES),
    6: ("ERROR_INVALID_HANDLE", "The handle is invalid.", errno.EBADF),
    8: ("ERROR_NOT_ENOUGH_MEMORY", "Not enough memory resources are available.", errno.ENOMEM),
    13: ("ERROR_INVALID_DATA", "The data is invalid.", errno.EINVAL),
    14: ("ERROR_OUTOFMEMORY", "Not enough memory resources are available.", errno.EINVAL),
    15: ("ERROR_INVALID_DRIVE", "The system cannot find the drive specified.", errno.ENOENT),
    16: ("ERROR_CURRENT_DIRECTORY", "The directory cannot be removed.", errno.EACCES),
    17: ("ERROR_NOT_SAME_DEVICE", "The file cannot be moved to a different disk drive.", errno.EXDEV),
    18: ("ERROR_NO_MORE_FILES", "There are no more files.", errno.ENOENT),
    32: ("ERROR_SHARING_VIOLATION", "The file is being used by another process.", errno.EACCES),
    33: ("ERROR_LOCK_VIOLATION", "Another process has locked a portion of the file.", errno.EACCES),
    50: ("ERROR_NOT_SUPPORTED", "The request is not supported.", errno.EINVAL),
    80: ("ERROR_FILE_EXISTS", "The file exists.", errno.EEXIST),
    87: ("ERROR_INVALID_PARAMETER", "The parameter is incorrect.", errno.EINVAL),
    109: ("ERROR_BROKEN_PIPE", "The pipe has been ended.", errno.EPIPE),
    112: ("ERROR_DISK_FULL", "There is not enough space on the disk.", errno.ENOSPC),
    122: ("ERROR_INSUFFICIENT_BUFFER", "The data area passed to a system call is too small.", errno.EINVAL),
    123: ("ERROR_INVALID_NAME", "The filename, directory name, or volume label is incorrect.", errno.EINVAL),
    126: ("ERROR_MOD_NOT_FOUND", "The specified module could not be found.", errno.EINVAL),
    127: ("ERROR_PROC_NOT_FOUND", "The specified procedure could not be found.", errno.EINVAL),
    145: ("ERROR_DIR_NOT_EMPTY", "The directory is not empty.", errno.ENOTEMPTY),
    183: ("ERROR_ALREADY_EXISTS", "The file already exists.", errno.EEXIST),
    193: ("ERROR_BAD_EXE_FORMAT", "It is not a valid Win32 application.", errno.ENOEXEC),
    206: ("ERROR_FILENAME_EXCED_RANGE", "The filename or extension is too long.", errno.ENOENT),
    232: ("ERROR_NO_DATA", "The pipe is being closed.", errno.EPIPE),
    258: ("WAIT_TIMEOUT", "The wait operation timed out.", errno.EINVAL),
    487: ("ERROR_INVALID_ADDRESS", "Attempt to access invalid address.", errno.EINVAL),
    997: ("ERROR_IO_PENDING", "Overlapped I/O operation is in progress.", errno.EINVAL),
    1114: ("ERROR_DLL_INIT_FAILED", "A DLL initialization routine failed.", errno.EINVAL),
    1816: ("ERROR_NOT_ENOUGH_QUOTA", "Not enough quota is available.", errno.ENOMEM),
    10004: ("WSAEINTR", "A blocking operation was interrupted.", errno.EINTR),
    10013: ("WSAEACCES", "A socket was accessed in a way forbidden by its permissions.", errno.EACCES),
    10035: ("WSAEWOULDBLOCK", "A non-blocking socket operation could not be completed.", errno.EWOULDBLOCK),
    10048: ("WSAEADDRINUSE", "Only one usage of each socket address is permitted.", errno.EADDRINUSE),
    10054: ("WSAECONNRESET", "An existing connection was closed by the remote host.", errno.ECONNRESET),
    10060: ("WSAETIMEDOUT", "A connection attempt failed: no response.", errno.ETIMEDOUT),
    10061: ("WSAECONNREFUSED", "The target machine refused the connection.", errno.ECONNREFUSED),
}


def name_of(code: int) -> str | None:
    """The constant's name, None for a code that the table does not have."""
    row = _TABLE.get(code)
    return row and row[0]


def message_of(code: int) -> str:
    """Microsoft's words, in English and short."""
    row = _TABLE.get(code)
    return row[1] if row else f"Windows error {code}"


def errno_of(code: int) -> int:
    """The errno that Python takes it for on Windows: EINVAL for a code that the table does not have."""
    row = _TABLE.get(code)
    return row[2] if row else errno.EINVAL


def code_of(name: str) -> int | None:
    """The code of a constant, None for a name that the table does not have."""
    return next((code for code, row in _TABLE.items() if row[0] == name), None)
