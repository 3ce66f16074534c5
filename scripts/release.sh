#!/usr/bin/env bash
# Builds what a release consists of into dist/: sdist, wheel, SBOM and checksums, and proves that the wheel installs.
# Nothing is uploaded. CONTRIBUTING.md says what comes before and after.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

version=$("$python" -c 'import remediate; print(remediate.__version__)')
if ! git diff --quiet HEAD; then
  echo "There are changes that are not committed: a release is what a commit holds."
  exit 1
fi
tag=$(git describe --exact-match --tags --match "v$version" 2>/dev/null || true)
[ "$tag" = "v$version" ] || echo "This commit has no tag v$version: what is made here is a trial, not a release."

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
# Two builds of one commit are the same, byte for byte.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH PIP_DISABLE_PIP_VERSION_CHECK=1

"$python" -m venv "$room/tools"
"$room/tools/bin/python" -m pip install --quiet -c constraints.txt build cyclonedx-bom twine
rm -rf dist
"$room/tools/bin/python" -m build --outdir dist . >"$room/build.log" 2>&1 || { tail -n 20 "$room/build.log"; exit 1; }
wheel=$(echo dist/*.whl)
"$room/tools/bin/twine" check --strict dist/*

echo "Installing $wheel into an environment of its own"
"$python" -m venv --without-pip "$room/venv"
"$room/tools/bin/python" -m pip --python "$room/venv/bin/python" install --quiet -c constraints.txt "$wheel"
[ "$("$room/venv/bin/remediate" --version)" = "remediate $version" ]
"$room/venv/bin/remediate" demo --help >/dev/null
for file in man/man1/remediate.1 man/man1/remediate-plan.1 remediate/playbooks/apply.yml \
  bash-completion/completions/remediate zsh/site-functions/_remediate fish/vendor_completions.d/remediate.fish; do
  test -s "$room/venv/share/$file" || { echo "share/$file is not in the wheel"; exit 1; }
done

sbom=dist/expressway-remediate-$version.cdx.json
"$room/tools/bin/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible -o "$sbom" "$room/venv/bin/python"
"$room/tools/bin/python" -m scripts.sbom "$sbom" "$room/venv/bin/python"
(cd dist && sha256sum -- * >SHA256SUMS)
echo "dist/ holds:"
ls -1 dist
