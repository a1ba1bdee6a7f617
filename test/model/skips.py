"""Checks the rows of skipped numbers, as stored, against the sets that a recount gives.

A leaf (level 0) holds the sets of 4,096 numbers; a node of level n the counts of its 64 children.  A node is kept from
the time the conversation outgrows one child of it; a child that is all removed, or empty, has no row.
"""

LEAF, CHILDREN = 4096, 64


def skipped_problem(stored, sets, last):
    """What is wrong with the rows {(level, chunk): (removed, uncounted, counts)}, or None."""
    removed, uncounted = sets
    skipped = removed | uncounted
    for (level, chunk), (gone, system, counts) in stored.items():
        first, size = chunk * LEAF * CHILDREN ** level, LEAF * CHILDREN ** level
        inside = [n for n in skipped if first < n <= first + size]
        if not inside:
            return f"row ({level}, {chunk}) is empty"
        if level == 0:
            if {first + 1 + n for n in gone or ()} != {n for n in inside if n in removed}:
                return f"leaf {chunk} has removed {gone}, expected {sorted(n - first - 1 for n in inside if n in removed)}"
            if {first + 1 + n for n in system or ()} != {n for n in inside if n in uncounted}:
                return f"leaf {chunk} has uncounted {system}, expected {sorted(n - first - 1 for n in inside if n in uncounted)}"
        elif list(counts) != child_counts(inside, first, size // CHILDREN):
            return f"node ({level}, {chunk}) has {counts}, expected {child_counts(inside, first, size // CHILDREN)}"
    for chunk in {(n - 1) // LEAF for n in skipped}:
        whole = all(n in removed for n in range(chunk * LEAF + 1, (chunk + 1) * LEAF + 1))
        if (0, chunk) not in stored and not (whole and last > LEAF):
            return f"leaf {chunk} is missing"
    return None


def child_counts(inside, first, size):
    counts = [0] * CHILDREN
    for n in inside:
        counts[(n - first - 1) // size] += 1
    return counts
