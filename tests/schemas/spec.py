#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates specs by docs/mailstead.schema.json, with a validator and a YAML reader that we did not write: good specs pass, and
of the wrong ones in tests/spec-errors those are refused whose mistake a schema can see."""
import glob
import json
import os
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: 52:54:00:12:34:56 is no number, and yes is a word."""


Loader.yaml_implicit_resolvers = {}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(|~|null)$"), ["", "~", "n"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("-+0123456789"))

# What an expected error says when a schema can see the mistake, too.
VISIBLE = re.compile(
    r"unknown key|the key '\w+' is missing|expected (text|true or false|a number|a list|a map)|takes keys of its own|the list is empty"
    r"|' must be .*, not '|is not between \d+ and \d+$|has no prefix length$|is not an address$", re.M)
# 01 is 1 to a validator.
UNSEEN = {"version-octal.yaml"}


def main(source):
    os.chdir(source)
    with open("docs/mailstead.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    dialect = jsonschema.validators.validator_for(schema)
    assert dialect is jsonschema.Draft7Validator
    dialect.check_schema(schema)
    validator = dialect(schema)
    failures = []

    def errors_in(path):
        with open(path, encoding="utf-8") as file:
            return list(validator.iter_errors(yaml.load(file, Loader)))

    good = [path for pattern in ("profiles/examples/*.yaml", "qemu-tests/**/site/mail.yaml", "tests/golden/render/sites/*.yaml",
                                 "tests/golden/init/*.yaml", "tests/golden/image/site/mail.yaml", "tests/unit/spec/cases/*.yaml")
            for path in sorted(glob.glob(pattern, recursive=True))]
    assert len(good) >= 20, good
    for path in good:
        failures += [f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors_in(path)]

    refused = 0
    for path in sorted(glob.glob("tests/spec-errors/*.yaml")):
        with open(path.replace(".yaml", ".expected"), encoding="utf-8") as file:
            visible = VISIBLE.search(file.read())
        try:
            seen = bool(errors_in(path))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue  # no YAML, so nothing for a schema
        except TypeError:
            continue  # keys that are lists or maps
        refused += seen
        if visible and not seen and os.path.basename(path) not in UNSEEN:
            failures.append(f"{path}: the schema accepts it, though '{visible.group(0)}'")
    print(f"{len(good)} specs are accepted, {refused} wrong ones refused")
    if refused < 60:
        failures.append("the schema sees fewer mistakes than before")
    sys.exit("\n".join(failures) if failures else 0)


main(sys.argv[1])
