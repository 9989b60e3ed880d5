"""An insider with the disk, the database and the log's key: he changes a package and recomputes all that he can."""

import hashlib
import json

from bodycam import custody
from bodycam.custody.canonical import canonical
from bodycam.custody.models import CustodyEvent
from bodycam.packages import bag, layout
from bodycam.packages.layout import render_manifest


def codes(verified):
    return {reason.code for reason in verified.reasons}


def recompute(package):
    """Write manifest and tag manifest anew."""
    root = package.path
    bag.write_manifest(root, {}, {"Source-Organization": "x"})
    retag(package)


def retag(package):
    hashes = {path: hashlib.sha256((package.path / path).read_bytes()).hexdigest() for path in layout.IN_TAG_MANIFEST}
    (package.path / layout.TAG_MANIFEST).write_bytes(render_manifest(hashes))


def relog(told, package):
    """Recompute the manifest and put a new `package.created` over it into the log, with the witnesses' cosignatures."""
    document = read(package, layout.PACKAGE)
    manifest, bag_info, files, size = bag.write_manifest(package.path, {}, {"Source-Organization": "x"})
    details = {"package": document["id"], "order": document["order"], "manifest": manifest, "bag_info": bag_info,
               "files": files, "bytes": size}  # fmt: skip
    with told.rt.db.write() as session:
        event = custody.record(session, "package.created", object_id=document["order"], actor="system", details=details)
    told.settle()
    with told.rt.db.read() as session:
        index = session.get_one(CustodyEvent, event.id).log_index
    head = told.rt.log.witnessed_checkpoint() or told.rt.log.checkpoint()
    bag.write_proof(package.path, told.rt.log, leaf=event.body, index=index, head=head)


def read(package, path):
    return json.loads((package.path / path).read_text("utf-8"))


def write(package, path, value):
    (package.path / path).write_text(canonical(value) + "\n", "utf-8")


def change(package, path, **values):
    write(package, path, {**read(package, path), **values})
