#!/usr/bin/python3
"""hostile.py GOOD OUTDIR: bundles that somebody made to do harm, derived from a good one.

Prints one line a bundle: NAME<TAB>part of the reason it must be refused for. Evil entries are in the
manifest too where a manifest can say them, so that it is not the manifest alone that refuses them.
"""
import gzip
import hashlib
import io
import json
import sys
import tarfile

MANIFEST = ".upaas/manifest.json"


class Bundle:
    def __init__(self, good):
        self.members = []
        with tarfile.open(good) as tar:
            for info in tar:
                data = tar.extractfile(info).read() if info.isreg() else b""
                self.members.append((info, data))
        self.manifest = json.loads(self.members.pop(0)[1])

    def add(self, name, kind=tarfile.REGTYPE, data=b"evil", mode=0o644, link="", listed=True, pax=None):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
        info.pax_headers = pax or {}
        self.members.append((info, data))
        if listed:
            self.list(name, kind, data, link)
        return self

    def list(self, name, kind=tarfile.REGTYPE, data=b"evil", link=""):
        entry = {"path": name}
        if kind == tarfile.DIRTYPE:
            entry["type"] = "directory"
        elif kind == tarfile.SYMTYPE:
            entry.update(type="symlink", target=link)
        else:
            entry.update(type="file", mode="0644", size=len(data), sha256=hashlib.sha256(data).hexdigest())
        self.manifest["entries"].append(entry)
        self.manifest["entries"].sort(key=lambda e: e["path"].encode("utf-8", "surrogateescape"))
        return self

    def tar(self, with_manifest=True, order=True):
        out = io.BytesIO()
        members = list(self.members)
        if order:
            members.sort(key=lambda m: m[0].name.rstrip("/").encode("utf-8", "surrogateescape"))
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            if with_manifest:
                text = json.dumps(self.manifest).encode()
                info = tarfile.TarInfo(MANIFEST)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text))
            for info, data in members:
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()


def cases(good):
    def fresh():
        return Bundle(good)

    yield "dotdot", "..", fresh().add("../escaped", listed=False).tar(order=False)
    yield "dotdot-inside", "..", fresh().add("bin/../../escaped", listed=False).tar(order=False)
    yield "dotdot-in-manifest", "..", fresh().list("../escaped").tar()
    yield "absolute", "relative", fresh().add("/tmp/escaped", listed=False).tar(order=False)
    yield "control-characters", "control", fresh().add("a\nb", listed=False).tar(order=False)
    yield "not-utf8", "UTF-8", fresh().add("a\udcffb", listed=False).tar(order=False)
    yield "too-deep", "64 components", fresh().add("/".join(["d"] * 70), listed=False).tar(order=False)
    yield "link-out", "link", fresh().add("zz", tarfile.SYMTYPE, b"", link="/etc").tar()
    yield "link-up", "out of the tree", fresh().add("zz", tarfile.SYMTYPE, b"", link="../..").tar()
    yield "link-not-in-manifest", "link", fresh().add("zz", tarfile.SYMTYPE, b"", link="/etc", listed=False).tar()
    yield "through-a-link", "not a directory", (
        fresh().add("zz", tarfile.SYMTYPE, b"", link="bin").add("zz/file").tar())
    yield "through-a-link-unlisted", "not a directory", (
        fresh().add("zz", tarfile.SYMTYPE, b"", link="bin").add("zz/file", listed=False).tar())
    yield "orphan", "parent", fresh().add("nowhere/file", listed=False).tar()
    yield "file-as-parent", "not a directory", fresh().add("app.py/x", listed=False).tar()
    yield "hard-link-absolute", "hard link", fresh().add("zz", tarfile.LNKTYPE, b"", link="/etc/passwd").tar()
    yield "hard-link-up", "hard link", fresh().add("zz", tarfile.LNKTYPE, b"", link="../victim").tar()
    yield "hard-link-forward", "hard link", fresh().add("aa", tarfile.LNKTYPE, b"", link="app.py").tar()
    yield "hard-link-to-a-link", "hard link", fresh().add("zz", tarfile.LNKTYPE, b"", link="link.py").tar()
    yield "hard-link-to-the-manifest", "hard link", fresh().add("zz", tarfile.LNKTYPE, b"", link=MANIFEST).tar()
    yield "device", "a device", fresh().add("zz", tarfile.CHRTYPE, b"").tar()
    yield "block-device", "a device", fresh().add("zz", tarfile.BLKTYPE, b"").tar()
    yield "fifo", "a fifo", fresh().add("zz", tarfile.FIFOTYPE, b"").tar()
    yield "setuid", "setuid", fresh().add("zz", mode=0o4755).tar()
    yield "setgid", "setuid", fresh().add("zz", mode=0o2755).tar()
    yield "sticky", "setuid", fresh().add("zz", tarfile.DIRTYPE, b"", mode=0o1777).tar()
    yield "capability", "attributes", fresh().add("zz", pax={"SCHILY.xattr.security.capability": "x"}).tar()
    yield "user-attribute", "attributes", fresh().add("zz", pax={"SCHILY.xattr.user.x": "y"}).tar()
    yield "access-list", "access list", fresh().add("zz", pax={"SCHILY.acl.access": "user::rwx,user:root:rwx,group::r--,mask::rwx,other::r--"}).tar()
    yield "flags", "flags", fresh().add("zz", pax={"SCHILY.fflags": "immutable"}).tar()
    yield "sparse", "sparse", fresh().add("zz", data=b"1\n0\n0\n".ljust(512, b"\0"), listed=False, pax={
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "zz",
        "GNU.sparse.realsize": str(1 << 40)}).tar()
    yield "duplicate", "twice", fresh().add("app.py", listed=False).tar()
    yield "duplicate-as-link", "twice", fresh().add("app.py", tarfile.SYMTYPE, b"", link="bin", listed=False).tar()
    yield "not-in-the-manifest", "not in the manifest", fresh().add("zz", listed=False).tar()
    yield "not-in-the-bundle", "not in the bundle", fresh().list("\U0001F40D").tar()
    yield "missing-in-the-middle", "not at its place", fresh().list("b-missing").tar()
    yield "reserved", "its parent is not a directory", fresh().add(".upaas/manifest.json/evil").tar()
    yield "two-manifests", "belongs to upaas", fresh().add(MANIFEST, listed=False).tar()
    yield "out-of-order", "not at its place", fresh().add("000", listed=False).list("000").tar(order=False)
    yield "no-manifest", "does not begin with", fresh().tar(with_manifest=False)

    changed = fresh()
    changed.members = [(i, d.replace(b"pass", b"exit")) for i, d in changed.members]
    yield "other-content", "content differs", changed.tar()
    mode = fresh()
    next(i for i, _ in mode.members if i.name == "app.py").mode = 0o755
    yield "other-mode", "mode differs", mode.tar()
    target = fresh()
    next(i for i, _ in target.members if i.name == "link.py").linkname = "empty.txt"
    yield "other-target", "links elsewhere", target.tar()
    kind = fresh()
    link = next(i for i, _ in kind.members if i.name == "link.py")
    link.type, link.linkname = tarfile.DIRTYPE, ""
    yield "other-type", "another type", kind.tar()

    schema = fresh()
    schema.manifest["schema"] = "upaas.bundle/v9"
    yield "other-schema", "schema", schema.tar()
    twice = fresh()
    twice.manifest["entries"].append(twice.manifest["entries"][-1])
    yield "listed-twice", "twice", twice.tar()
    text = fresh()
    text.manifest = "text"
    yield "manifest-is-text", "manifest", text.tar()
    negative = fresh()
    negative.list("zz").manifest["entries"][-1]["size"] = -1
    yield "negative-size", "negative", negative.tar()
    deep = fresh().tar(with_manifest=False)
    bad = b"[" * 100000
    head = tarfile.TarInfo(MANIFEST)
    head.size = len(bad)
    yield "manifest-too-deep", "manifest", head.tobuf() + bad.ljust(-(-len(bad) // 512) * 512, b"\0") + deep

    yield "data-after-the-end", "follows the end", fresh().tar() + b"surprise".ljust(512, b"\0")
    whole = fresh().tar()
    content = len(whole.rstrip(b"\0"))
    yield "without-an-end", "cut off", whole[:-(-content // 512) * 512]
    yield "bomb", "times its size", fresh().add("zz", data=b"\0" * (20 << 20)).tar()


def main():
    good, out = sys.argv[1:]
    for name, reason, tar in cases(good):
        with open(f"{out}/{name}.tar.gz", "wb") as file:
            file.write(gzip.compress(tar, 6 if name == "bomb" else 1, mtime=0))
        print(f"{name}\t{reason}")


main()
