"""The packages of scripts/package that are archives with a list of their own: the Python wheel
that carries the program, and the OCI image. Standard library only; two runs on one commit make
the same bytes."""

import argparse
import base64
import csv
import gzip
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
SUMMARY = "Occupancy server for car parks: free spaces per floor from unreliable camera events"
LICENCE = "MIT OR Apache-2.0"
# The user in the image; a volume that is mounted must belong to it.
USER = 65532
DATA = "var/lib/smartpark"


def wheel(options):
    """`pip install` puts the program beside Python's own, as a script that is no Python."""
    version, glibc = options.version, options.glibc.replace(".", "_")
    tag = f"py3-none-manylinux_{glibc}_{platform.machine()}"
    facts = f"smartpark-{version}.dist-info"
    metadata = (
        f"Metadata-Version: 2.1\nName: smartpark\nVersion: {version}\nSummary: {SUMMARY}\n"
        f"License: {LICENCE}\nRequires-Python: >=3.8\n"
        "Classifier: Operating System :: POSIX :: Linux\n"
        "Description-Content-Type: text/markdown\n\n" + Path("README.md").read_text()
    )
    files = {
        f"smartpark-{version}.data/scripts/smartpark": options.program.read_bytes(),
        f"{facts}/METADATA": metadata.encode(),
        f"{facts}/WHEEL": f"Wheel-Version: 1.0\nGenerator: scripts/package\n"
        f"Root-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        files[f"{facts}/{licence}"] = Path(licence).read_bytes()
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(data)])
    rows.writerow([f"{facts}/RECORD", "", ""])
    files[f"{facts}/RECORD"] = record.getvalue().encode()
    path = options.folder / f"smartpark-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, time.gmtime(EPOCH)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if "/scripts/" in name else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)


def loaded(program):
    """The loader and the libraries of the program: where they lie, and where the loader looks."""
    told = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for line in told.splitlines():
        found = re.search(r"(/\S+) \(0x", line)
        if found:
            yield found.group(1)


def layer(options):
    """The file system of the image, as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        made = set()

        def add(path, data=None, mode=0o644, owner=0):
            for parent in reversed(Path(path).parents):
                if str(parent) not in made | {"."}:
                    add(str(parent), mode=0o755)
            made.add(path)
            entry = tarfile.TarInfo(path)
            entry.mode, entry.mtime, entry.uid, entry.gid = mode, EPOCH, owner, owner
            if data is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))

        add("usr/bin/smartpark", options.program.read_bytes(), 0o755)
        for library in loaded(options.program):
            add(library.lstrip("/"), Path(library).read_bytes(), 0o755)
        certificates = Path("/etc/ssl/certs/ca-certificates.crt")
        add(str(certificates).lstrip("/"), certificates.read_bytes())
        passwd = f"root:x:0:0::/:\nsmartpark:x:{USER}:{USER}::/{DATA}:\n"
        add("etc/passwd", passwd.encode())
        add("etc/group", f"root:x:0:\nsmartpark:x:{USER}:\n".encode())
        add("etc/nsswitch.conf", b"hosts: files dns\n")
        for licence in ("LICENSE", "LICENSE-MIT", "LICENSE-APACHE"):
            add(f"usr/share/doc/smartpark/{licence}", Path(licence).read_bytes())
        add("usr/share/doc/smartpark/LIBRARIES", options.libraries.read_bytes())
        add("usr/share/doc/smartpark/GLIBC", GLIBC.encode())
        add(DATA, mode=0o700, owner=USER)
        add("tmp", mode=0o1777)
    return buffer.getvalue()


GLIBC = (
    "The loader and the libraries in this image are those of Debian's packages libc6 (LGPL-2.1)\n"
    "and libgcc-s1 (GPL-3 with the GCC runtime library exception), unchanged. Their source is in\n"
    "Debian's archive.\n"
)


def image(options):
    """An OCI image: an archive in the form of the OCI image layout."""
    blobs = {}

    def blob(media_type, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    plain = layer(options)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
    labels = {
        "org.opencontainers.image.title": "SmartPark",
        "org.opencontainers.image.description": SUMMARY,
        "org.opencontainers.image.version": options.version,
        "org.opencontainers.image.licenses": LICENCE,
        "org.opencontainers.image.created": created,
    }
    config = {
        "created": created,
        "architecture": machine,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {"8000/tcp": {}},
            "Env": [
                "PATH=/usr/bin",
                f"SMARTPARK_DATABASE=sqlite:///{DATA}/smartpark.db",
                "SMARTPARK_SEED=none",
                "SMARTPARK_LOG_FORMAT=json",
            ],
            "Entrypoint": ["/usr/bin/smartpark"],
            "Cmd": ["serve"],
            "Volumes": {f"/{DATA}": {}},
            "WorkingDir": f"/{DATA}",
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
        "history": [{"created": created, "created_by": "scripts/package"}],
    }
    kind = "application/vnd.oci.image"
    packed = gzip.compress(plain, mtime=0)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": blob(f"{kind}.config.v1+json", json.dumps(config).encode()),
        "layers": [blob(f"{kind}.layer.v1.tar+gzip", packed)],
        "annotations": labels,
    }
    listed = blob(manifest["mediaType"], json.dumps(manifest).encode())
    listed["annotations"] = {
        "org.opencontainers.image.ref.name": options.version,
        "io.containerd.image.name": f"docker.io/library/smartpark:{options.version}",
    }
    listed["platform"] = {"architecture": machine, "os": "linux"}
    index = {"schemaVersion": 2, "mediaType": f"{kind}.index.v1+json", "manifests": [listed]}
    path = options.folder / f"smartpark-{options.version}-image-{machine}.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:

        def add(name, data):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(data), EPOCH, 0o644
            archive.addfile(entry, io.BytesIO(data))

        add("oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        add("index.json", json.dumps(index).encode())
        for digest, data in sorted(blobs.items()):
            add(f"blobs/sha256/{digest}", data)


def unpack(options):
    """Checks every digest of the image, and lays its files out in a folder."""
    with tarfile.open(options.program) as archive:
        parts = {entry.name: archive.extractfile(entry).read() for entry in archive}
    for name, data in parts.items():
        if name.startswith("blobs/"):
            assert hashlib.sha256(data).hexdigest() == name.rsplit("/", 1)[1], name

    def part(described):
        data = parts["blobs/sha256/" + described["digest"].split(":")[1]]
        assert len(data) == described["size"], described
        return data

    assert json.loads(parts["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    manifest = json.loads(part(json.loads(parts["index.json"])["manifests"][0]))
    config = json.loads(part(manifest["config"]))
    for described, digest in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        plain = gzip.decompress(part(described))
        assert f"sha256:{hashlib.sha256(plain).hexdigest()}" == digest, digest
        with tarfile.open(fileobj=io.BytesIO(plain)) as files:
            files.extractall(options.folder, numeric_owner=True)


def expressions(_options):
    """Every expression of the dashboard as a rule, for promtool to read."""
    dashboard = json.loads(Path("packaging/grafana/smartpark.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    rules = [
        {"record": f"panel:{place}", "expr": expr.replace("$job", "smartpark")}
        for place, expr in enumerate(found)
    ]
    # JSON is YAML.
    print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))


def main():
    commands = {"wheel": wheel, "image": image, "unpack": unpack, "expressions": expressions}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=list(commands))
    parser.add_argument("--program", type=Path, help="the program, or the image")
    parser.add_argument("--version")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--glibc", help="the oldest version that the program runs on")
    parser.add_argument("--libraries", type=Path, help="the list of libraries with licences")
    options = parser.parse_args()
    commands[options.what](options)


main()
