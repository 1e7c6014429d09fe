"""Mutations of bytes and of plain values, and a judge of what the command line makes of them."""

import copy

from support.any_config import paths

# Values that a file of JSON or YAML may hold in any place.
ODD_VALUES = [
    *(None, True, False, 0, -1, 1, 2**63, -(2**63), 10**20, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "1", "nan", "\x00", "\x1b[2J", "a.b", "../..", "=1+1", "é" * 300),
    *([], [[]], [None], [1, "a"], {}, {"name": "x"}, {"value": []}, [[1.0], [2.0, 3.0]]),
]


def damaged_bytes(random, content):
    """Return bytes with one part cut out, changed, doubled or inserted."""
    size = len(content)
    first, last = sorted((random.randrange(size + 1), random.randrange(size + 1)))
    noise = random.randbytes(random.choice([1, 4, 64]))
    short = content[first : min(last, first + 8)]
    way = random.randrange(7)
    if way == 0:
        return content[:first]
    if way == 1:
        return content[:first] + noise + content[first + len(noise) :]
    if way == 2:
        return content[:first] + noise + content[first:]
    if way == 3:
        return content[:first] + content[last:]
    if way == 4:
        return content[:last] + content[first:]
    if way == 5 and short:
        flipped = bytes([short[0] ^ (1 << random.randrange(8))])
        return content[:first] + flipped + content[first + 1 :]
    return noise


def changed_value(random, value, odd=None):
    """Return nested lists and mappings with one value replaced, removed, renamed or doubled."""
    value = copy.deepcopy(value)
    path = random.choice(list(paths(value)))
    if not path:
        return random.choice(ODD_VALUES) if random.random() < 0.1 else value
    inside = value
    for step in path[:-1]:
        inside = inside[step]
    way = random.randrange(6)
    if way == 0:
        del inside[path[-1]]
    elif way == 1 and isinstance(inside, dict):
        inside[f"{path[-1]}x"] = inside.pop(path[-1])
    elif way == 2 and isinstance(inside, list):
        inside.append(copy.deepcopy(inside[path[-1]]))
    else:
        inside[path[-1]] = copy.deepcopy(random.choice(odd or ODD_VALUES))
    return value


def verdict(result):
    """Return what is wrong with the end of a command, empty if it ended in words."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raised {result.exception!r}"
    if result.exit_code not in (0, 1, 2):
        return f"ended with {result.exit_code}"
    for sign in ("This is a bug", "Traceback (most recent call last)", "Warning: "):
        if sign in result.output:
            return result.output[-600:]
    return ""
