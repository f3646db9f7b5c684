"""System calls by number: https://man7.org/linux/man-pages/man2/syscalls.2.html

Numbers are of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and of AArch64
(include/uapi/asm-generic/unistd.h); None where an architecture does not have the call.
"""

from __future__ import annotations

import os
import sys

#: Position in the tables' rows -> the machine's name (uname(2)).
MACHINES = ("x86_64", "aarch64")

Numbers = dict[str, tuple[int | None, int | None]]

#: What opens files: whether for writing is in an argument.
OPENING: Numbers = {
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "creat": (85, None),
}
#: What changes the file system by name.
NAMES: Numbers = {
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
#: What makes sockets, and the ring that could make them behind a filter's back.
NETWORK: Numbers = {
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
}
#: What makes processes and reaches them.
PROCESSES: Numbers = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
}
#: What reads, writes or directs other processes.
PEEKING: Numbers = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
}
#: What changes limits.
LIMITS: Numbers = {
    "setrlimit": (160, 164),
    "prlimit64": (302, 261),
}
#: What gets memory from the system.
MEMORY: Numbers = {
    "mmap": (9, 222),
    "mremap": (25, 216),
    "brk": (12, 214),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "shmget": (29, 194),
    "shmat": (30, 196),
}
#: What only the system's own programs have business with.
SYSTEM: Numbers = {
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "setns": (308, 268),
    "unshare": (272, 97),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "iopl": (172, None),
    "ioperm": (173, None),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
    "personality": (135, 92),
}
#: What the filter's own installation calls.
OWN: Numbers = {
    "seccomp": (317, 277),
    "prctl": (157, 167),
}

ALL: Numbers = {
    **OPENING,
    **NAMES,
    **NETWORK,
    **PROCESSES,
    **PEEKING,
    **LIMITS,
    **MEMORY,
    **SYSTEM,
    **OWN,
}


def machine() -> str:
    """The architecture whose numbers count here, or "" when they are not known: not Linux, or another processor."""
    here = os.uname().machine if sys.platform == "linux" else ""
    # A 32-bit interpreter makes the calls of another table.
    return here if here in MACHINES and sys.maxsize > 2**32 else ""


def number(name: str, architecture: str | None = None) -> int | None:
    """The number of a system call here, or on another architecture; None where there is none.

    Raises KeyError for a name that is not in the tables, or an unknown architecture.
    """
    row = ALL[name]
    where = machine() if architecture is None else architecture
    if where not in MACHINES:
        raise KeyError(where)
    return row[MACHINES.index(where)]
