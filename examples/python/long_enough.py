"""A filter: notices of the harbour that say more than that there is nothing to say."""

import tamis


@tamis.filter
def long_enough(document, options):
    words = document.text.split()
    document.count("words", len(words))
    return len(words) >= options["min_words"] or "too short"


tamis.serve(long_enough)
