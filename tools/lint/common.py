"""What the rules share: finding files, reading C++ without its comments and strings, saying what is wrong."""

import concurrent.futures
import fnmatch
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(HERE))
found = 0


def cannot(why):
    """The rule cannot look: never the same as having found nothing."""
    print("cannot check: %s" % why)
    sys.exit(2)


def complain(path, line, what):
    global found
    found += 1
    print("%s:%d: %s" % (os.path.relpath(path, ROOT), line, what))


def finish():
    sys.exit(1 if found else 0)


def files(*patterns, but=(), may_be_none=False):
    """Paths below the root that match one of the patterns (* crosses folders); having none is an error."""
    result = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in (".git", "build", "samples", "tmp_check", "results"))
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, ROOT)
            if any(fnmatch.fnmatch(relative, p) for p in patterns) and not any(fnmatch.fnmatch(relative, p) for p in but):
                result.append(path)
    if not result and not may_be_none:
        cannot("no file matches %s" % " ".join(patterns))
    return result


def read(path):
    with open(path, encoding="utf-8") as source:
        return source.read()


CPP_TOKEN = re.compile(
    r'''//[^\n]*|/\*.*?\*/|(?:u8|[uUL])?R"(?P<raw>[^()\\\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+\'''', re.S)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code(path, strings=False):
    """The C++ of a file with comments, and the insides of strings unless asked for, turned into spaces."""
    def replace(token):
        text = token.group(0)
        if text.startswith("/"):
            return blank(text)
        return text if strings else text[0] + blank(text[1:-1]) + text[-1]
    return CPP_TOKEN.sub(replace, read(path))


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def closing(text, position):
    """The position of the bracket that closes the one at position; strings must be blanked."""
    pairs = {"(": ")", "{": "}"}
    opening, depth = text[position], 0
    for here in range(position, len(text)):
        if text[here] == opening:
            depth += 1
        elif text[here] == pairs[opening]:
            depth -= 1
            if depth == 0:
                return here
    return len(text)


def tool(name):
    """The path of a program that the rule cannot do without."""
    path = shutil.which(name)
    if path is None:
        cannot("%s is not installed (sh tools/setup.sh)" % name)
    return path


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        cannot("%s: %s" % (" ".join(command[:2]), done.stderr.strip()[-2000:]))
    return done.stdout


def pg_config(option):
    program = output("sh", os.path.join(os.path.dirname(HERE), "pg_config.sh")).strip()
    return output(program, option).strip()


def library():
    path = os.path.join(ROOT, "chatopt.so")
    if not os.path.exists(path):
        cannot("chatopt.so is not built (make)")
    return path


def clang_query(matchers):
    """What clang-query finds in the files outside the core, as (path, line, matcher's index)."""
    program = tool("clang-query")
    command = [program]
    for matcher in matchers:
        command += ["-c", "match " + matcher]
    options = ["--", "-std=c++20", "-I" + os.path.join(ROOT, "src"), "-isystem", pg_config("--includedir-server"),
               "-DPGDLLEXPORT=__attribute__((visibility(\"default\")))", "-DBOOST_CONTAINER_USE_STD_EXCEPTIONS", "-w"]
    # It keeps all that it has parsed: a few files at a time, or it takes gigabytes.
    sources = files("src/*.cpp", but=("src/core/*",))
    groups = [sources[first:first + 8] for first in range(0, len(sources), 8)]
    places = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda group: query_group(command + group + options, len(matchers)), groups):
            places |= said
    return sorted(places)


def query_group(command, matchers):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    errors = re.findall(r"^.*(?:\berror: |Error parsing|Input value has unresolved).*$", done.stdout, re.M)
    counted = len(re.findall(r"^\d+ match(?:es)?\.$", done.stdout, re.M))
    if done.returncode or errors or counted != matchers:
        cannot("clang-query: %s" % "\n".join(errors or done.stdout.splitlines())[-2000:])
    places = set()
    index = 0
    for line in done.stdout.splitlines():
        place = re.match(r'(/.*?):(\d+):\d+: note: "root" binds here', line)
        if place:
            places.add((place.group(1), int(place.group(2)), index))
        elif re.match(r"\d+ match(es)?\.$", line):
            index += 1
    return places


# Code of ours outside the core, and outside the bodies given to cpp_zone.
PG_ZONE = 'isExpansionInFileMatching("/src/"), unless(isExpansionInFileMatching("/src/core/")), ' \
    'unless(isExpansionInFileMatching("/src/pg/(boundary|memory).hpp")), ' \
    'unless(hasAncestor(callExpr(callee(functionDecl(hasName("cpp_zone"))))))'
