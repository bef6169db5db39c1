//! What the model is told about a segment and about the boundary before it: features that are there or not.
//!
//! A measured value becomes a feature by the bin into which it falls, so that every weight can be read by
//! itself: `width-cjk.30 = 0.4` says what a line of 16 to 30 Chinese characters counts for.
//! Those of a page as both models see it are [`View`]s: `kind` asks which of the models the page is for.
//! `local` finds those of a segment by itself, `gaps` those that it has beside others, `scene` those that only the page as a
//! whole shows, and `describe` asks all of them.

/// Receives the features of a page, segment by segment.
pub(super) trait Sink {
    /// What comes now is of the next segment, the first time of the first one, and of the boundary before it.
    fn next(&mut self);
    /// The segment has these features.
    fn nodes<const N: usize>(&mut self, features: [usize; N]);
    /// The boundary before the segment has these features.
    fn edges<const N: usize>(&mut self, features: [usize; N]);
    /// All segments have the feature.
    fn node_of_page(&mut self, feature: usize);
    /// All boundaries have the feature.
    fn edge_of_page(&mut self, feature: usize);
}

/// Names every group of features and its bins, and numbers them.
macro_rules! features {
    ($kind:ident, $count:ident, $groups:ident: $($id:ident = $name:literal [$($bin:literal)*];)*) => {
        #[derive(Clone, Copy)]
        pub(super) enum $kind { $($id),* }

        const $groups: &[(&str, &[&str])] = &[$(($name, &[$($bin),*])),*];

        impl $kind {
            const OFFSETS: [usize; $groups.len()] = {
                let mut offsets = [0; $groups.len()];
                let mut at = 1;
                while at < $groups.len() {
                    offsets[at] = offsets[at - 1] + $groups[at - 1].1.len();
                    at += 1;
                }
                offsets
            };

            /// The feature of a bin; the last one takes all that lies beyond.
            #[inline]
            pub(super) fn bin(self, bin: usize) -> usize {
                let group = self as usize;
                Self::OFFSETS[group] + bin.min($groups[group].1.len() - 1)
            }
        }

        /// How many features there are.
        pub const $count: usize = $kind::OFFSETS[$groups.len() - 1] + $groups[$groups.len() - 1].1.len();
    };
}

features! { Node, N_NODE, NODE_GROUPS:
    Bias = "bias" ["1"];
    WidthCjk = "width-cjk" ["2" "4" "8" "15" "30" "60" "120" "more"];
    WidthLatin = "width-latin" ["2" "4" "8" "15" "30" "60" "120" "more"];
    WidthOther = "width-other" ["2" "4" "8" "15" "30" "60" "120" "more"];
    Ends = "sentence-ends" ["0" "1" "2" "more"];
    EndsAs = "ends-as" ["sentence" "colon" "ellipsis" "comma" "nothing"];
    Commas = "commas" ["0" "1" "3" "more"];
    ProseCjk = "prose-cjk" ["0" "0.03" "0.08" "0.15" "more"];
    ProseWords = "prose-words" ["0" "0.15" "0.3" "0.45" "more"];
    Digits = "digits" ["0" "0.1" "0.3" "0.6" "more"];
    Separators = "separators" ["0" "1" "3" "more"];
    BlanksCjk = "blanks-cjk" ["0" "0.05" "0.12" "0.25" "more"];
    Capitals = "capitalised" ["0" "0.2" "0.5" "0.8" "more"];
    Code = "code" ["0" "0.03" "0.07" "0.15" "0.3" "more"];
    Quotes = "quotes" ["0" "1" "more"];
    Moment = "moment" ["none" "some" "most"];
    Web = "web-address" ["none" "some"];
    LexCovers = "covered-by" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    LexBegins = "begins-with" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    LexHolds = "holds" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    LexAny = "furniture" ["0" "0.1" "0.3" "0.6" "more"];
    Repeats = "repeats" ["once" "again" "often"];
    TitleIs = "title" ["is" "holds" "none"];
    TitleShare = "title-words" ["0" "0.15" "0.3" "0.5" "more"];
    Starts = "starts-with" ["bullet" "number" "quote" "bracket" "lower-case" "other"];
    Indent = "indent" ["none" "blanks" "wide" "glued"];
    Gap = "gap" ["0" "1" "2" "4" "9" "more"];
    GapAfter = "gap-after" ["0" "1" "2" "4" "9" "more"];
    CodeEnd = "code-end" ["yes" "no"];
    CodeHits = "code-words" ["0" "0.08" "0.2" "0.4" "more"];
    CodeNear = "code-near" ["0" "0.2" "0.5" "more"];
    MarkNear = "mark-near" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    FurnitureNear = "furniture-near" ["0" "1" "3" "more"];
    Near = "prose-near" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    Around = "prose-around" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    Before = "prose-before" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    After = "prose-after" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    Neighbours = "neighbours" ["neither" "prose-before" "prose-after" "prose-both"];
    Run = "run" ["best" "second" "third" "before-far" "before-mid" "before-near" "after-near" "after-mid" "after-far"
        "none"];
    RunProse = "run-prose" ["best-prose" "best-other" "second-prose" "second-other" "third-prose" "third-other"
        "outside-prose" "outside-other"];
    RunRival = "run-rival" ["0.1" "0.3" "0.6" "more"];
    SecondRival = "second-rival" ["0.1" "0.3" "0.6" "more"];
    SecondOrder = "second-order" ["before" "after"];
    Past = "past-marks" ["none" "related" "comment" "legal" "related-comment" "more"];
    Ahead = "ahead-marks" ["none" "related" "comment" "legal" "related-comment" "more"];
    DateBefore = "moment-before" ["none" "1" "4" "12" "40" "more"];
    TitleBefore = "title-before" ["none" "1" "4" "12" "40" "more"];
    ProsePast = "prose-past" ["0" "0.02" "0.1" "0.3" "0.6" "0.9" "0.98" "more"];
    Place = "place" ["0.02" "0.1" "0.3" "0.6" "0.9" "more"];
    Total = "page-prose" ["100-prose" "400-prose" "1500-prose" "more-prose" "100-other" "400-other" "1500-other"
        "more-other"];
    Shared = "shared" ["none" "few" "many"];
    SharedGlance = "shared-as" [
        "own-prose" "own-sentence" "own-short" "own-title" "own-moment" "own-credit" "own-furniture" "own-ending" "own-code" "own-other"
        "shared-prose" "shared-sentence" "shared-short" "shared-title" "shared-moment" "shared-credit" "shared-furniture" "shared-ending" "shared-code" "shared-other"
    ];
    Glued = "glued" ["0" "0.05" "0.15" "0.4" "more"];
    Structure = "structure" ["plain" "fence" "heading" "item" "number" "row" "quote" "section"];
    StructureRun = "structure-run" ["1" "2" "4" "8" "more"];
    ItemAfter = "item-after" ["colon" "sentence" "other"];
    ShortRun = "short-run" ["none" "1" "3" "6" "12" "24" "48" "96" "more"];
    ShortRunAt = "short-run-at" ["first-6" "first-24" "first-more" "between-6" "between-24" "between-more" "last-6"
        "last-24" "last-more"];
    NumberRun = "number-run" ["1" "2" "4" "8" "16" "32" "more"];
    GoesOn = "goes-on" ["neither" "before" "behind" "both"];
    KindsGlance = "kinds-glance" [
        "0-prose" "0-sentence" "0-short" "0-title" "0-moment" "0-credit" "0-furniture" "0-ending" "0-code" "0-other"
        "1-prose" "1-sentence" "1-short" "1-title" "1-moment" "1-credit" "1-furniture" "1-ending" "1-code" "1-other"
        "2-prose" "2-sentence" "2-short" "2-title" "2-moment" "2-credit" "2-furniture" "2-ending" "2-code" "2-other"
        "3-prose" "3-sentence" "3-short" "3-title" "3-moment" "3-credit" "3-furniture" "3-ending" "3-code" "3-other"
        "4-prose" "4-sentence" "4-short" "4-title" "4-moment" "4-credit" "4-furniture" "4-ending" "4-code" "4-other"
        "more-prose" "more-sentence" "more-short" "more-title" "more-moment" "more-credit" "more-furniture" "more-ending" "more-code" "more-other"
    ];
    PageShared = "page-shared" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageKinds = "page-kinds" ["0" "1" "2" "3" "4" "5" "6" "7" "8"];
    PageProse = "page-prose-share" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageFurniture = "page-furniture" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageCode = "page-code" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageShort = "page-short" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageStructure = "page-structure" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageRun = "page-run" ["1" "3" "6" "12" "24" "48" "more"];
    PageLongRuns = "page-long-runs" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageGaps = "page-gaps" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageGlued = "page-glued" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageTitles = "page-titles" ["0" "1" "2" "more"];
    PageSegments = "page-segments" ["3" "10" "30" "100" "300" "more"];
    PageStarts = "page-starts" ["prose" "sentence" "short" "title" "moment" "credit" "furniture" "ending" "code" "other"];
    PageEnds = "page-ends" ["prose" "sentence" "short" "title" "moment" "credit" "furniture" "ending" "code" "other"];
    PageNavigation = "page-navigation" ["0" "1" "3" "8" "more"];
    PageAccount = "page-account" ["0" "1" "3" "8" "more"];
    PageShare = "page-share" ["0" "1" "3" "8" "more"];
    PageComment = "page-comment" ["0" "1" "3" "8" "more"];
    PageRelated = "page-related" ["0" "1" "3" "8" "more"];
    PageLegal = "page-legal" ["0" "1" "3" "8" "more"];
    PagePromotion = "page-promotion" ["0" "1" "3" "8" "more"];
    PagePaging = "page-paging" ["0" "1" "3" "8" "more"];
}

features! { Edge, N_EDGE, EDGE_GROUPS:
    Bias = "bias" ["1"];
    Gap = "gap" ["0" "1" "2" "4" "9" "more"];
    Was = "was" ["prose" "sentence" "short" "title" "moment" "credit" "furniture" "ending" "code" "other" "start"];
    Is = "is" ["prose" "sentence" "short" "title" "moment" "credit" "furniture" "ending" "code" "other"];
    IsMark = "is-mark" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    WasMark = "was-mark" ["navigation" "account" "share" "comment" "related" "credit" "source" "date" "legal"
        "promotion" "media" "paging" "ending" "code"];
    WasEnds = "was-ends" ["sentence" "colon" "ellipsis" "comma" "nothing"];
    Indent = "indent" ["none" "blanks" "wide" "glued"];
    IndentChange = "indent-change" ["same" "in" "out"];
    Before = "prose-before" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    After = "prose-after" ["0" "0.1" "0.3" "0.5" "0.7" "0.9" "more"];
    Run = "run" ["enters-best" "leaves-best" "enters-second" "leaves-second" "inside-best" "inside-second" "outside"];
    DateBefore = "moment-before" ["none" "1" "4" "12" "40" "more"];
    TitleBefore = "title-before" ["none" "1" "4" "12" "40" "more"];
    Shape = "shape" ["long-long" "long-short" "short-long" "short-short"];
    ProsePast = "prose-past" ["0" "0.02" "0.1" "0.3" "0.6" "0.9" "0.98" "more"];
    GoesOn = "goes-on" ["no" "yes"];
    PageKinds = "page-kinds" ["0" "1" "2" "3" "4" "5" "6" "7" "8"];
    PageProse = "page-prose-share" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    PageRun = "page-run" ["1" "3" "6" "12" "24" "48" "more"];
    PageStructure = "page-structure" ["0" "0.02" "0.05" "0.1" "0.2" "0.4" "0.7" "more"];
    Shared = "shared" ["own-own" "own-shared" "shared-own" "shared-shared"];
    Structure = "structure" ["same-plain" "same-marked" "into" "out" "other"];
}

features! { View, N_VIEW, VIEW_GROUPS:
    RestShare = "rest-share" ["0.02" "0.05" "0.1" "0.2" "0.3" "0.45" "0.6" "0.75" "0.85" "0.95" "more"];
    TextShare = "text-share" ["0.02" "0.05" "0.1" "0.2" "0.3" "0.45" "0.6" "0.75" "0.85" "0.95" "more"];
    RestKept = "rest-kept" ["0.02" "0.05" "0.1" "0.2" "0.3" "0.45" "0.6" "0.75" "0.85" "0.95" "more"];
    TextKept = "text-kept" ["0.02" "0.05" "0.1" "0.2" "0.3" "0.45" "0.6" "0.75" "0.85" "0.95" "more"];
    RestCut = "rest-cut" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
    TextCut = "text-cut" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
    TextWhole = "text-whole" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
    RestWhole = "rest-whole" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
    RestOfText = "rest-of-text" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
    TextOfRest = "text-of-rest" ["0.2" "0.4" "0.6" "0.7" "0.8" "0.85" "0.9" "0.93" "0.96" "0.98" "more"];
}

/// Names of the node features, as in the file of weights.
pub(super) fn node_names() -> impl Iterator<Item = String> {
    names(NODE_GROUPS)
}

/// Names of the edge features, as in the file of weights.
pub(super) fn edge_names() -> impl Iterator<Item = String> {
    names(EDGE_GROUPS)
}

fn names(groups: &'static [(&str, &[&str])]) -> impl Iterator<Item = String> {
    groups.iter().flat_map(|(group, bins)| bins.iter().map(move |bin| format!("{group}.{bin}")))
}

/// Names of the features of what both models say of a page, as in the file of weights.
pub(super) fn view_names() -> impl Iterator<Item = String> {
    names(VIEW_GROUPS)
}

/// The bin of a value: how many of the limits it lies beyond.
#[inline]
pub(super) fn bin<const N: usize>(value: f32, limits: &[f32; N]) -> usize {
    // The limits rise, so all of them can be compared at once.
    let n_below: u32 = limits.iter().map(|limit| u32::from(value > *limit)).sum();
    n_below as usize
}

/// The bins of small numbers as a table, of which the last stands for all that are greater.
pub(super) const fn bins<const N: usize, const M: usize>(limits: [u32; N]) -> [u8; M] {
    let mut bins = [0; M];
    let mut n = 0;
    while n < M {
        let mut at = 0;
        while at < N {
            bins[n] += (n as u32 > limits[at]) as u8;
            at += 1;
        }
        n += 1;
    }
    bins
}

/// The bin of a number that such a table says.
#[inline]
pub(super) fn bin_of<const M: usize>(n: u32, bins: &[u8; M]) -> usize {
    bins[(n as usize).min(M - 1)].into()
}
