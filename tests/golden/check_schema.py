"""The JSON Schema must take what the reader takes: the good files of the fuzz corpus, and refuse files
with an unknown key, a wrong type or a key that is not built."""
import json
import pathlib
import sys

import jsonschema
import yaml

root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "tests/golden/app.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
corpus = root / "tests/fuzz/corpus/app_yaml"
failures = []
for path in sorted(corpus.glob("good*.yaml")):
    for error in validator.iter_errors(yaml.safe_load(path.read_text())):
        failures.append(f"{path.name}: {error.message}")
for name in ("unknown", "unbuilt", "path", "types", "env"):
    if validator.is_valid(yaml.safe_load((corpus / f"bad_{name}.yaml").read_text())):
        failures.append(f"bad_{name}.yaml: accepted")
print("\n".join(failures) or "the schema agrees")
sys.exit(1 if failures else 0)
