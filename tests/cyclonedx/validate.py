# Validates a CycloneDX 1.6 document on standard input, and prints its package URLs taken apart: type, namespace, name, version.
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

text = sys.stdin.read()
errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
for error in errors or ():
    print(error, file=sys.stderr)
if errors:
    sys.exit(1)
components = json.loads(text)["components"]
urls = (PackageURL.from_string(component["purl"]) for component in components)
print(json.dumps([[url.type, url.namespace, url.name, url.version] for url in urls]))
