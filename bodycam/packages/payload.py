"""The payload of a package: hashed once against the manifest, then read only as far as it fitted."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from bodycam.packages.folder import Folder, Progress
from bodycam.packages.layout import TAG_FILES
from bodycam.packages.reasons import Reasons

if TYPE_CHECKING:
    from bodycam.packages.documents import Model


class Payload:
    """The files that the manifest names, and which of them are as it says."""

    def __init__(self, folder: Folder, manifest: Mapping[str, str], reasons: Reasons) -> None:
        """Take the listed folder and the manifest in its one form."""
        self._folder, self.manifest, self.reasons = folder, manifest, reasons
        self._sound: set[str] = set()

        self._hashes: Iterator[tuple[str, str | None]] = iter(())

    def start(self, progress: Progress | None) -> None:
        """Begin to hash what is there, in threads of their own: `check` waits for them."""
        self._hashes = self._folder.hashes([path for path in self.manifest if path in self._folder.sizes], progress)

    def check(self) -> None:
        """Step 4: every file of the manifest is there with its hash, and nothing else is."""
        for path in self.manifest:
            if path not in self._folder.sizes:
                self.reasons.add("file_missing", path)
        for path in sorted(self._folder.sizes):
            if path not in self.manifest and path not in TAG_FILES:
                self.reasons.add("file_extra", path)
        for path, digest in self._hashes:
            if digest == self.manifest[path]:
                self._sound.add(path)
            elif digest is not None:
                self.reasons.add("file_changed", path)

    def names(self, path: str) -> bool:
        """Say whether the manifest has this path; if not, that is a reason."""
        if path in self.manifest:
            return True
        self.reasons.add("reference_missing", path[:400])
        return False

    def data(self, path: str, limit: int) -> bytes | None:
        """Return a sound file's bytes; None when its reason is known already. What changed since it was hashed is not believed."""
        if not self.names(path) or path not in self._sound:
            return None
        data = self._folder.read(path, limit)
        if data is not None and sha256(data).hexdigest() != self.manifest[path]:
            self.reasons.add("file_changed", path)
            return None
        return data

    def text(self, path: str, limit: int) -> str | None:
        """Return a sound file's text; what isn't UTF-8 is malformed."""
        data = self.data(path, limit)
        if data is None:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError:
            self.reasons.add("document_malformed", path)
            return None

    def document(
        self, path: str, model: "type[Model]", limit: int, *, code: str = "document_malformed"
    ) -> "Model | None":
        """Return a sound document with its fields; what isn't one gives the reason `code`."""
        from bodycam.packages.documents import DocumentError, read_as  # late: loaded while the files are hashed

        data = self.data(path, limit)
        if data is None:
            return None
        try:
            return read_as(model, data)
        except DocumentError:
            self.reasons.add(code, path)
            return None
