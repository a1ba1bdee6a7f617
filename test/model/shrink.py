"""Makes a failing list of operations short: delta debugging, each try on model and database in a fresh schema."""

from model import Op
from run import replay


class Shrinker:
    def __init__(self, variant, name, kind, reference=None, budget=600):
        self.variant, self.name, self.kind, self.reference = variant, name, kind, reference
        self.tries, self.budget = 0, budget

    def fails(self, ops):
        """The operations really run up to the same kind of difference, or None."""
        if self.tries >= self.budget:
            return None
        self.tries += 1
        difference, done = replay(self.variant, self.name, ops, self.reference)
        if difference is None or difference.kind != self.kind:
            return None
        self.difference = difference
        return done

    def shrink(self, ops):
        shorter = self.fails(ops)
        if shorter is None:
            return None
        before = None
        while before is None or len(shorter) < len(before) or size(shorter) < size(before):
            before = shorter
            shorter = self.without_chunks(shorter)
            shorter = self.smaller_operations(shorter)
        return shorter

    def without_chunks(self, ops):
        chunk = max(1, len(ops) // 2)
        while True:
            start, removed = 0, False
            while start < len(ops):
                rest = self.fails(ops[:start] + ops[start + chunk:])
                if rest is not None:
                    ops, removed = rest, True
                else:
                    start += chunk
            if chunk == 1:
                if not removed or self.tries >= self.budget:
                    return ops
            else:
                chunk = max(1, chunk // 2)

    def smaller_operations(self, ops):
        """Fewer rows, ids, steps and parts in each operation."""
        for place in range(len(ops) - 1, -1, -1):
            if place >= len(ops):
                continue
            for field in ("rows", "ids", "pairs", "keys", "steps", "parts", "joins", "entries"):
                entry = 0
                while place < len(ops) and field in ops[place].a and len(ops[place].a[field]) > 1 \
                        and entry < len(ops[place].a[field]):
                    values = list(ops[place].a[field])
                    del values[entry]
                    smaller = Op(ops[place].session, ops[place].kind, **{**ops[place].a, field: values})
                    rest = self.fails(ops[:place] + [smaller] + ops[place + 1:])
                    if rest is None:
                        entry += 1
                    else:
                        ops = rest
        return ops


def size(ops):
    return sum(len(value) if isinstance(value, list) else 1 for op in ops for value in op.a.values())
