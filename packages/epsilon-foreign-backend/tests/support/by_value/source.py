"""The library's C text. What the compiler knows of every type it exports; no layout is computed here."""

from __future__ import annotations

from collections.abc import Iterable

from random_types import PRELUDE, Aggregate, definitions
from random_types.declarations import parts

from .prototypes import AGGREGATE, Prototype, c_name, is_floating

#: Bytes from one argument that a callback is called with to the next.
SLOT = 128

#: FNV-1a over what arrived: the bits of the aggregate that hold values, and the scalars' bits.
_START = f"""{PRELUDE}
unsigned char value_bits[4096], change[4096];
uint64_t sum;
static void add(const void *data, size_t size, const unsigned char *bits)
{{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (bits ? bytes[i] & bits[i] : bytes[i])) * 1099511628211ULL;
}}
static void start(void) {{ sum = 14695981039346656037ULL; }}
"""


def c_source(prototypes: Iterable[Prototype], attribute: str = "") -> str:
    """Everything about the types of `prototypes`, and the functions; `attribute` is theirs and their callbacks'."""
    texts = [_START]
    known: set[str] = set()
    for prototype in prototypes:
        if prototype.type.name not in known:
            known.add(prototype.type.name)
            texts.append(definitions(prototype.type))
            texts += map(_layout, parts(prototype.type))
        texts += _function(prototype, attribute), _caller(prototype, attribute)
    return "".join(texts)


def _layout(type: Aggregate) -> str:
    """Size, alignment, each member's offset and size (0 for bit-fields, whose bits a function shows)."""
    name = type.name
    numbers = [f"sizeof({name})", f"_Alignof({name})"]
    bits = []
    for member in type.members:
        if member.bits is None:
            numbers += f"offsetof({name}, {member.name})", f"sizeof((({name} *)0)->{member.name})"
        else:
            numbers += "0", "0"
            if member.name is not None:
                fill = f"memset(&x, 0, sizeof x); x.{member.name} = -1;"
                bits.append(f"{fill} memcpy(out, &x, sizeof x); out += sizeof x;")
    table = f"const uint64_t layout_{name}[] = {{ {', '.join(numbers)} }};\n"
    return table + f"void bits_{name}(unsigned char *out)\n{{\n{name} x;\n" + "\n".join(bits) + "\n}\n"


def _function(prototype: Prototype, attribute: str) -> str:
    name = prototype.type.name
    result = name if prototype.returns_aggregate else "uint64_t"
    declared, lines, last = [], ["start();"], 0
    for index, kind in enumerate(prototype.parameters):
        declared.append(f"{c_name(prototype, index)} a{index}")
        if kind is AGGREGATE:
            lines.append(f"add(&a{index}, sizeof a{index}, value_bits);")
            last = index
        else:
            wide = "double" if is_floating(kind) else "int64_t"
            lines.append(f"{{ {wide} w = ({wide})a{index}; add(&w, sizeof w, 0); }}")
    if prototype.returns_aggregate:
        lines += (
            f"{name} changed = a{last};",
            "for (size_t i = 0; i < sizeof changed; i++) ((unsigned char *)&changed)[i] ^= change[i];",
            "return changed;",
        )
    else:
        lines.append("return sum;")
    body = "\n    ".join(lines)
    return f"{attribute} {result} {prototype.name}({', '.join(declared)})\n{{\n    {body}\n}}\n"


def _caller(prototype: Prototype, attribute: str) -> str:
    """Calls a function pointer of the prototype's type, with arguments from memory, a `SLOT` apart."""
    names = [c_name(prototype, index) for index in range(len(prototype.parameters))]
    result = prototype.type.name if prototype.returns_aggregate else "uint64_t"
    lines = [f"{name} a{i}; memcpy(&a{i}, in + {SLOT} * {i}, sizeof a{i});" for i, name in enumerate(names)]
    lines += (
        f"{result} ({attribute} *f)({', '.join(names)}) = function;",
        f"{result} r = f({', '.join(f'a{i}' for i in range(len(names)))});",
        "memcpy(out, &r, sizeof r);",
    )
    body = "\n    ".join(lines)
    return f"void call_{prototype.name}(void *function, const char *in, char *out)\n{{\n    {body}\n}}\n"
