#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""documents.py KIND FILE SCHEMAS LISTED: a bill of materials (spdx, cyclonedx) or a provenance statement against its
schema, against itself, and against LISTED, which has a line "name version architecture" for each package. Where
MAILSTEAD_SPDX_SCHEMA names the official schema of SPDX 2.3, a bill of materials in SPDX is held against that as well."""
import json
import os
import sys
import urllib.parse
import warnings

import jsonschema

warnings.simplefilter("ignore", DeprecationWarning)  # RefResolver: what comes after it is not in Debian 12


def validate(document, schemas, name, others=()):
    schema = json.load(open(os.path.join(schemas, name)))
    base = schema.get("$id", "")
    store = {}
    for other in others:
        text = json.load(open(os.path.join(schemas, other)))
        store[urllib.parse.urljoin(base, other)] = text
        store[text["$id"]] = text
    resolver = jsonschema.RefResolver(base, schema, store)
    dialect = jsonschema.validators.validator_for(schema)
    validator = dialect(schema, resolver=resolver, format_checker=jsonschema.FormatChecker())
    errors = list(validator.iter_errors(document))
    for error in errors[:10]:
        print("/".join(map(str, error.absolute_path)), error.message[:300], file=sys.stderr)
    assert not errors
    # A validator that finds nothing wrong in anything would prove nothing.
    assert not validator.is_valid({**document, "no-such-member": 1})


def packages_of(purls):
    """(name, version, architecture) of each "pkg:deb/debian/NAME@VERSION?arch=ARCHITECTURE&distro=SUITE"."""
    packages = set()
    for purl in purls:
        head, qualifiers = purl.split("?")
        kind, distribution, rest = head.split("/")
        assert (kind, distribution) == ("pkg:deb", "debian"), purl
        name, version = map(urllib.parse.unquote, rest.split("@"))
        qualifiers = dict(urllib.parse.parse_qsl(qualifiers))
        assert qualifiers["distro"] == "trixie", purl
        packages.add((name, version, qualifiers["arch"]))
    assert len(packages) == len(purls), "a package twice"
    return packages


def spdx(document, schemas):
    validate(document, schemas, "spdx-2.3-packages.schema.json")
    official = os.environ.get("MAILSTEAD_SPDX_SCHEMA")
    if official:
        assert json.load(open(official))["title"] == "SPDX 2.3", official
        validate(document, schemas, os.path.abspath(official))
    ids = [package["SPDXID"] for package in document["packages"]]
    assert len(set(ids)) == len(ids)
    for relationship in document["relationships"]:
        assert relationship["spdxElementId"] in [*ids, "SPDXRef-DOCUMENT"], relationship
        assert relationship["relatedSpdxElement"] in ids, relationship
    contained = {r["relatedSpdxElement"] for r in document["relationships"] if r["relationshipType"] == "CONTAINS"}
    return packages_of([package["externalRefs"][0]["referenceLocator"] for package in document["packages"]
                        if package["SPDXID"] in contained])


def cyclonedx(document, schemas):
    validate(document, schemas, "bom-1.6.SNAPSHOT.schema.json",
             ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"])
    assert document["specVersion"] == "1.6"
    refs = [component["bom-ref"] for component in document["components"]]
    assert document["dependencies"][0]["dependsOn"] == refs
    assert document["dependencies"][0]["ref"] == document["metadata"]["component"]["bom-ref"]
    return packages_of([component["purl"] for component in document["components"]])


def provenance(document, schemas):
    validate(document, schemas, "provenance.schema.json")
    dependencies = document["predicate"]["buildDefinition"]["resolvedDependencies"]
    return packages_of([dependency["uri"] for dependency in dependencies if "uri" in dependency])


def main():
    kind, file, schemas, listed = sys.argv[1:]
    text = open(file).read()
    listed = {tuple(line.split()) for line in open(listed)}
    found = {"spdx": spdx, "cyclonedx": cyclonedx, "provenance": provenance}[kind](json.loads(text), schemas)
    # The lock has the tools, too.
    missing, others = listed - found, found - listed if kind != "provenance" else set()
    assert listed and not missing and not others, (sorted(missing)[:5], sorted(others)[:5])


main()
