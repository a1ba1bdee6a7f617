#!/usr/bin/python3
"""Random model test: generated statements on chatopt and on an in-memory model, compared after each.

    model_test.py --statements 20000 --seed 1 --schema plain [--shrink]

Reads PGHOST, PGPORT, PGUSER, PGDATABASE; the database has the extension.  Prints TAP, one line a schema variant.
A failure prints the seed that shows it and, with --shrink, the shortest statement list found.
"""

import argparse
import collections
import multiprocessing
import os
import random
import sys
import time

import psycopg2

from generate import Generator
from model import Blocked, Op
from render import Renderer
from run import Difference, Runner, connect, drop_after_failure, drop_pool
from schema import VARIANTS, Schema, pick
from shrink import Shrinker

EPISODE = 1500          # statements in one fresh schema


class Failure:
    """What one variant's run found wrong, as lines for TAP."""

    def __init__(self, seed, lines):
        self.seed, self.lines = seed, lines


def main():
    arguments = parse()
    variants = arguments.schema or list(VARIANTS)
    two_phase = prepare_database()
    share = max(1, arguments.statements // len(variants))
    jobs = [(place, variant, share, arguments, two_phase) for place, variant in enumerate(variants)]
    print(f"1..{len(jobs)}", flush=True)
    if not two_phase:
        print("# max_prepared_transactions is 0: no two-phase commit in this run", flush=True)
    failed = 0
    with multiprocessing.Pool(min(arguments.jobs, len(jobs))) as workers:
        for place, (lines, fine) in enumerate(workers.imap(run_variant, jobs)):
            failed += not fine
            status = "ok" if fine else "not ok"
            print(f"{status} {place + 1} - {lines[0]}", flush=True)
            for line in lines[1:]:
                print("# " + line.replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)


def parse():
    parser = argparse.ArgumentParser(description="random model test of chatopt's counters")
    parser.add_argument("--statements", type=int, default=20000, help="in all, over the variants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schema", action="append", help="a variant, as partitioned+counted; default: all listed")
    parser.add_argument("--shrink", action="store_true", help="make a failing list short")
    parser.add_argument("--episode", type=int, default=EPISODE, help="statements in one fresh schema")
    parser.add_argument("--only-episode", type=int, help="run just this episode of the seed")
    parser.add_argument("--without", action="append", default=[],
                        help="leave out a kind of statement, or: number (an explicit one)")
    parser.add_argument("--jobs", type=int, default=2, help="variants at a time")
    parser.add_argument("--counts", action="store_true", help="say how many statements of each kind ran")
    parser.add_argument("--reference", metavar="right|FAULT",
                        help="slow stand-in triggers instead of the extension, right or with a known fault")
    return parser.parse_args()


def prepare_database():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SET client_min_messages = warning; SHOW max_prepared_transactions")
    two_phase = int(cursor.fetchone()[0]) > 0
    if not any(word.startswith("--reference") for word in sys.argv):
        cursor.execute("CREATE EXTENSION IF NOT EXISTS chatopt")
    cursor.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    connection.close()
    return two_phase


def load_reference(path):
    """The stand-in of reference.py, which tests this test."""
    if path is None:
        return None
    import functools
    import reference
    return functools.partial(reference.attach, fault=None if path == "right" else path)


def run_variant(job):
    """Episodes of one variant until its share of statements has run or one fails."""
    place, variant, share, arguments, two_phase = job
    reference = load_reference(arguments.reference)
    without = list(arguments.without)
    if reference is not None:
        without += ["save", "rekey", "number", "upkeep", "truncate_all", "switch"]  # more than the stand-in can
    kinds = collections.Counter()
    pool, statements, started, episode = [], 0, time.time(), 0
    episodes = [arguments.only_episode] if arguments.only_episode is not None else None
    while statements < share:
        if episodes is not None and episode not in episodes:
            if episode > max(episodes):
                break
            episode += 1
            continue
        length = min(arguments.episode, share - statements) if episodes is None else arguments.episode
        name = f"model_{place}_{os.getpid()}"
        seed = f"{arguments.seed} {variant} {episode}"
        chosen = pick(variant, random.Random(seed))
        runner, ops, difference = run_episode(chosen, name, seed, length, reference, two_phase, pool, without)
        if runner is not None:
            statements += runner.statements
            kinds += runner.kinds
        if difference is not None:
            drop_after_failure(pool, name)
            return report(variant, chosen, name, arguments, episode, ops, difference, reference, statements), False
        episode += 1
    drop_pool(pool)
    took = time.time() - started
    return [f"{variant}: {statements} statements as the model says ({episode} fresh schemas, {took:.0f} s)"] + (
        [f"{count:8} {kind}" for kind, count in sorted(kinds.items())] if arguments.counts else []), True


def run_episode(variant, name, seed, length, reference, two_phase, pool, without):
    """Generated statements in one fresh schema; the operations run and the first difference."""
    rng = random.Random(seed)
    ops, runner = [], None
    try:
        schema = Schema(variant, name)
        runner = Runner(schema, reference, pool, without=without)
        generator = Generator(rng, runner.model, schema, two_phase)
        first = Op(0, "conversations", form="values", rows=[(c, "new") for c in range(1, generator.places * 2 // 3)],
                   bogus=True)
        pending = first
        while runner.statements < length:
            op = pending or generator.next()
            pending = None
            try:
                ops.append(op)
                runner.run(op)
            except Blocked:
                ops.pop()
        runner.end()
        runner.database.close()
    except Difference as difference:
        return runner, ops, difference
    except psycopg2.Error as error:
        return runner, ops, Runner.unexpected(error)
    return runner, ops, None


def report(variant, chosen, name, arguments, episode, ops, difference, reference, statements):
    lines = [f"{variant}: seed {arguments.seed}, episode {episode}, after {statements} statements",
             f"again: test/model/model_test.py --seed {arguments.seed} --schema {variant} --only-episode {episode}"
             f" --episode {arguments.episode} --shrink", str(difference)]
    schema = Schema(chosen, name)
    renderer = Renderer(schema)
    if not arguments.shrink:
        lines.append("last statements (--shrink for the shortest list):")
        return lines + [f"/* {op.session} */ {renderer.script(op)}" for op in ops[-12:]]
    shrinker = Shrinker(chosen, name, difference.kind, reference)
    shorter = shrinker.shrink(ops)
    if shorter is None:
        lines.append(f"the {len(ops)} statements do not fail the same way when run again; the last of them:")
        return lines + [f"/* {op.session} */ {renderer.script(op)}" for op in ops[-30:]]
    lines.append(f"the shortest list found ({len(shorter)} of {len(ops)} statements, {shrinker.tries} tries):")
    lines.append(schema.ddl() + schema.attach())
    lines += [f"/* {op.session} */ {renderer.script(op)}" for op in shorter]
    lines.append(str(shrinker.difference))
    return lines


if __name__ == "__main__":
    main()
