"""Makes the calls read from standard input through psycopg2 or psycopg, whichever is named, and writes their results.

python.py DRIVER [PLACEHOLDER]: %b as PLACEHOLDER has psycopg send every parameter in binary.

A line is: types of the keys, SQL, arguments; see drivers.t.
"""

import importlib
import re
import sys
import uuid

NULL = "\\N"


def key(text, form):
    """A key as the text it is, or as a value of its type."""
    return {"uuid": uuid.UUID, "bigint": int}.get(form, str)(text)


def scalar(kind, text, forms):
    if text == NULL:
        return None
    if kind in forms:
        return key(text, forms[kind])
    if kind in "IP":
        return int(text)
    return text == "true" if kind == "B" else text


def value(argument, forms):
    """An argument as Python has it: a capital is the kind of a value, a small letter that of an array's elements."""
    kind, text = argument[0], argument[1:]
    if kind.isupper():
        return scalar(kind, text, forms)
    return [] if text == "\x1d" else [scalar(kind.upper(), element, forms) for element in text.split("\x1f")]


def shown(field):
    return "null" if field is None else str(field)


def main():
    driver = importlib.import_module(sys.argv[1])
    if driver.__name__ == "psycopg2":
        importlib.import_module("psycopg2.extras").register_uuid()
    placeholder = sys.argv[2] if len(sys.argv) > 2 else "%s"
    connection = driver.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    for line in open(0, encoding="utf-8", newline="\n"):
        forms, sql, *arguments = line.rstrip("\n").split("\t")
        conversation, member, column = forms.split(" ")
        forms = {"C": conversation, "M": member, "K": column}
        try:
            cursor.execute(re.sub(r"\$\d+", placeholder, sql), [value(a, forms) for a in arguments])
            result = ";".join("|".join(map(shown, row)) for row in cursor)
        except driver.Error as error:
            state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
            result = f"error {state}\t{str(error).splitlines()[0]}"
        print(result, flush=True)


sys.stdout.reconfigure(encoding="utf-8")
main()
