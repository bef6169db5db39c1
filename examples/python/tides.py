"""An extractor: reads the height of the tide out of a notice, in metres, and writes it as a number."""

import re

import tamis

HEIGHT = re.compile(r"\btide of (\d+(?:\.\d+)?) ?m\b")


@tamis.extractor
def tides(document):
    heights = [float(height) for height in HEIGHT.findall(document.text)]
    if heights:
        document.metadata["highest_tide"] = max(heights)
    return HEIGHT.sub(r"tide of \1 metres", document.text)


tamis.serve(tides)
