//! What a stage takes, gives, needs untouched and destroys.

use tamis_document::Form;

/// What a text may still have of the page that it was, or have been given on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// Indentation and runs of blanks, tabs and U+3000.
    WhiteSpace,
    /// U+00A0 where the page had it.
    NoBreakSpaces,
    /// Lines as the page had them.
    Lines,
    /// Markdown: indented code, blank lines between blocks, tables.
    Markdown,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::WhiteSpace, Self::NoBreakSpaces, Self::Lines, Self::Markdown];

    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WhiteSpace => "white space",
            Self::NoBreakSpaces => "U+00A0",
            Self::Lines => "lines",
            Self::Markdown => "Markdown",
        }
    }

    fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// What an open stage says of forms: which it works on and which it leaves behind, so that `tamis check` finds an
/// order of stages in which one cannot work. It depends on the options.
///
/// A stage that says nothing takes anything and leaves it as it is.
///
/// ```
/// use tamis_document::Form;
/// use tamis_stage::{Forms, Layout};
///
/// let forms = Forms::new().taking([Form::Flattened]).giving([Form::Clean]).needing([Layout::Lines]);
/// assert!(forms.takes(Form::Flattened) && !forms.takes(Form::Markup));
/// assert_eq!(forms.given(), [Form::Clean]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Forms {
    takes: u64,
    gives: u64,
    needs: u64,
    destroys: u64,
    makes: u64,
    cleans: bool,
    compares: bool,
    counts_holders: bool,
    counts_marks: bool,
    deduplicates: bool,
}

/// In the set of what a stage needs: texts that have been cleaned. Older programs pass over it, as over those below.
const CLEANED: u64 = 1 << 63;
/// In the same set: each document once.
const ONCE: u64 = 1 << 62;
/// In the same set: words without marks around them.
const UNMARKED: u64 = 1 << 61;
/// In the set of what a stage makes: a collection in which no document repeats another.
const UNIQUE: u64 = 1 << 63;

impl Forms {
    /// Takes anything and leaves it as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Works on texts of these forms only; on others it does nothing, or harm.
    #[must_use]
    pub fn taking(mut self, forms: impl IntoIterator<Item = Form>) -> Self {
        self.takes |= bits(forms);
        self
    }

    /// Leaves texts of this form behind; a reader may give several.
    #[must_use]
    pub fn giving(mut self, forms: impl IntoIterator<Item = Form>) -> Self {
        self.gives |= bits(forms);
        self
    }

    /// Looks at this, so that no stage before it may have destroyed it.
    #[must_use]
    pub fn needing(mut self, layouts: impl IntoIterator<Item = Layout>) -> Self {
        self.needs |= layout_bits(layouts);
        self
    }

    /// Leaves nothing of this.
    #[must_use]
    pub fn destroying(mut self, layouts: impl IntoIterator<Item = Layout>) -> Self {
        self.destroys |= layout_bits(layouts);
        self
    }

    /// Makes this on purpose, so that no stage behind it should destroy it.
    #[must_use]
    pub fn making(mut self, layouts: impl IntoIterator<Item = Layout>) -> Self {
        self.makes |= layout_bits(layouts);
        self
    }

    /// Takes away or mends what is not the text, so that whoever judges texts stands behind it.
    #[must_use]
    pub fn cleaning(mut self) -> Self {
        self.cleans = true;
        self
    }

    /// Compares whole texts with each other, so that whoever takes away what pages of a site share stands before it.
    #[must_use]
    pub fn comparing(mut self) -> Self {
        self.compares = true;
        self
    }

    /// Learns from how many documents hold something, so that whoever drops repeated documents stands before it: what
    /// stands in two copies of a document alone is shared, too.
    #[must_use]
    pub fn counting_holders(mut self) -> Self {
        self.counts_holders = true;
        self
    }

    /// Counts words and characters, and those of which a text is marked up in Markdown with them, so that no stage
    /// before it should make Markdown.
    #[must_use]
    pub fn counting_marks(mut self) -> Self {
        self.counts_marks = true;
        self
    }

    /// Drops documents whose text repeats that of another.
    #[must_use]
    pub fn deduplicating(mut self) -> Self {
        self.deduplicates = true;
        self
    }

    /// Whether it works on texts of this form.
    pub fn takes(self, form: Form) -> bool {
        self.takes == 0 || self.takes & form_bit(form) != 0
    }

    /// The forms that it works on; none stands for all.
    pub fn taken(self) -> Vec<Form> {
        forms(self.takes)
    }

    /// The forms that it leaves behind; none stands for those that come in, of a reader for what nobody knows.
    pub fn given(self) -> Vec<Form> {
        forms(self.gives)
    }

    /// What it looks at.
    pub fn needed(self) -> Vec<Layout> {
        layouts(self.needs)
    }

    /// What it leaves nothing of.
    pub fn destroyed(self) -> Vec<Layout> {
        layouts(self.destroys)
    }

    /// What it makes on purpose.
    pub fn made(self) -> Vec<Layout> {
        layouts(self.makes)
    }

    /// Whether whoever judges texts should stand behind it.
    pub fn cleans(self) -> bool {
        self.cleans
    }

    /// Whether it compares whole texts, so that cleaners should stand before it.
    pub fn compares(self) -> bool {
        self.compares
    }

    /// Whether it learns from how many documents hold something, so that repeated ones should be gone.
    pub fn counts_holders(self) -> bool {
        self.counts_holders
    }

    /// Whether it takes marks of Markdown for words and characters of the text.
    pub fn counts_marks(self) -> bool {
        self.counts_marks
    }

    /// Whether it drops documents that repeat others.
    pub fn deduplicates(self) -> bool {
        self.deduplicates
    }

    /// The sets as bits, as they cross the plugin boundary: forms taken and given, then layouts needed, destroyed and
    /// made, then whether it cleans.
    pub fn to_bits(self) -> [u64; 6] {
        let bit = |holds: bool, bit: u64| if holds { bit } else { 0 };
        let needs = self.needs
            | bit(self.compares, CLEANED)
            | bit(self.counts_holders, ONCE)
            | bit(self.counts_marks, UNMARKED);
        let makes = self.makes | bit(self.deduplicates, UNIQUE);
        [self.takes, self.gives, needs, self.destroys, makes, self.cleans.into()]
    }

    /// The same back; bits that mean nothing here are passed over, because a newer plugin may know more.
    pub fn from_bits(bits: [u64; 6]) -> Self {
        let [takes, gives, needs, destroys, makes, cleans] = bits;
        let (form, layout) = (self::bits(Form::ALL), layout_bits(Layout::ALL));
        Self {
            takes: takes & form,
            gives: gives & form,
            needs: needs & layout,
            destroys: destroys & layout,
            makes: makes & layout,
            cleans: cleans != 0,
            compares: needs & CLEANED != 0,
            counts_holders: needs & ONCE != 0,
            counts_marks: needs & UNMARKED != 0,
            deduplicates: makes & UNIQUE != 0,
        }
    }

    /// The form of a text behind the stage that came in with `before`; `is_new` says whether it was replaced.
    ///
    /// A stage that leaves a text of another form than it takes alone has not made it any other.
    pub fn after(self, before: Option<Form>, is_new: bool) -> Option<Form> {
        match self.given().as_slice() {
            [given] if is_new || before.is_some_and(|form| self.takes(form)) => Some(*given),
            _ => before,
        }
    }
}

fn form_bit(form: Form) -> u64 {
    1 << form as u32
}

fn bits(forms: impl IntoIterator<Item = Form>) -> u64 {
    forms.into_iter().fold(0, |bits, form| bits | form_bit(form))
}

fn forms(bits: u64) -> Vec<Form> {
    Form::ALL.into_iter().filter(|form| bits & form_bit(*form) != 0).collect()
}

fn layout_bits(layouts: impl IntoIterator<Item = Layout>) -> u64 {
    layouts.into_iter().fold(0, |bits, layout| bits | layout.bit())
}

fn layouts(bits: u64) -> Vec<Layout> {
    Layout::ALL.into_iter().filter(|layout| bits & layout.bit() != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_left_alone_has_become_nothing_else() {
        let extract = Forms::new().taking([Form::Markup]).giving([Form::Clean]);
        for (before, is_new, after) in [
            (Some(Form::Markup), true, Some(Form::Clean)),
            (Some(Form::Markup), false, Some(Form::Clean)),
            (Some(Form::Flattened), false, Some(Form::Flattened)),
            (Some(Form::Flattened), true, Some(Form::Clean)),
            (None, true, Some(Form::Clean)),
            (None, false, None),
        ] {
            assert_eq!(extract.after(before, is_new), after, "{before:?} {is_new}");
        }
        assert_eq!(Forms::new().after(Some(Form::Markup), true), Some(Form::Markup));
    }

    #[test]
    fn bits_cross_and_come_back() {
        let forms = Forms::new()
            .taking([Form::Markup, Form::Clean])
            .giving([Form::Flattened])
            .needing([Layout::Lines])
            .destroying([Layout::Markdown, Layout::WhiteSpace])
            .making([Layout::NoBreakSpaces])
            .cleaning()
            .comparing();
        assert_eq!(Forms::from_bits(forms.to_bits()), forms);
        for forms in [forms.counting_holders(), forms.counting_marks(), forms.deduplicating()] {
            assert_eq!(Forms::from_bits(forms.to_bits()), forms);
        }
        assert_eq!(Forms::from_bits([8, 0, 0, 0, 0, 0]), Forms::new());
    }
}
