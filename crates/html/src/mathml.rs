//! `MathML` without its source, as the `LaTeX` that says the same.
//!
//! A formula that was written as presentation alone is a tree of rows, scripts and fractions. Its text in one line says
//! something else: a square is `x2`, a fraction `ab`.

use std::borrow::Cow;

use crate::entities::decoded;

/// Elements of a formula; a longer one is no formula.
const MOST_ELEMENTS: usize = 2000;
/// Formulas nest no deeper.
const MOST_DEPTH: usize = 64;

/// The `LaTeX` of the source of a `<math>` element, which may lack its end; `None` for what is no formula.
pub(crate) fn latex(source: &str) -> Option<String> {
    let mut open = vec![Element { name: "math".to_owned(), ..Element::default() }];
    let mut rest = source;
    let mut n_elements = 0;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at_checked(at)?;
        open.last_mut()?.text.push_str(text);
        let (tag, behind) = markup.get(1..)?.split_once('>')?;
        rest = behind;
        if tag.starts_with(['!', '?']) {
            continue;
        }
        let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name = tag.split(char::is_whitespace).next()?.to_ascii_lowercase();
        if is_end {
            // An end tag of something that is not open says nothing.
            if open.len() > 1 && open.iter().any(|element| element.name == name) {
                while open.len() > 1 && close(&mut open)? != name {}
            }
            continue;
        }
        n_elements += 1;
        if n_elements > MOST_ELEMENTS || open.len() > MOST_DEPTH {
            return None;
        }
        let attributes = tag.get(name.len()..)?.to_owned();
        open.push(Element { name, attributes, ..Element::default() });
        if is_empty {
            close(&mut open)?;
        }
    }
    open.last_mut()?.text.push_str(rest);
    while open.len() > 1 {
        close(&mut open)?;
    }
    let formula = joined(&open.pop()?.children);
    (!formula.is_empty()).then_some(formula)
}

/// An element whose end was not met yet.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: String,
    /// Its own text, with character references.
    text: String,
    /// What is in it, as `LaTeX`.
    children: Vec<String>,
}

/// Ends the innermost element, and says which that was.
fn close(open: &mut Vec<Element>) -> Option<String> {
    let element = open.pop()?;
    if let Some(formula) = element.latex() {
        open.last_mut()?.children.push(formula);
    }
    Some(element.name)
}

/// Operators that have their limits above and below.
const WITH_LIMITS: &[&str] = &[
    "\\sum", "\\prod", "\\int", "\\bigcup", "\\bigcap", "\\lim", "\\max", "\\min", "\\sup", "\\inf",
    "\\limsup", "\\liminf",
];
/// Functions that have a command of their own.
const FUNCTIONS: &[&str] = &[
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "deg", "det", "dim", "exp", "gcd", "inf",
    "ker", "lim", "liminf", "limsup", "ln", "log", "max", "min", "sec", "sin", "sinh", "sup", "tan", "tanh",
];
/// What stands over a letter.
const ACCENTS: &[(&str, &str)] = &[
    ("^", "hat"),
    ("ˆ", "hat"),
    ("¯", "overline"),
    ("‾", "overline"),
    ("―", "overline"),
    ("_", "overline"),
    ("~", "tilde"),
    ("˜", "tilde"),
    ("˙", "dot"),
    ("¨", "ddot"),
    ("\\to", "vec"),
];

impl Element {
    /// What the element says; `None` for what says nothing.
    fn latex(&self) -> Option<String> {
        let child = |at: usize| self.children.get(at).map_or("", String::as_str);
        let formula = match self.name.as_str() {
            "mi" | "mn" | "mo" | "ms" => symbols(&decoded(self.text.trim()), self.name == "mi"),
            "mtext" => {
                let text = decoded(self.text.trim());
                if text.is_empty() { String::new() } else { format!("\\text{{{}}}", escaped(&text)) }
            }
            "annotation" | "annotation-xml" | "mphantom" | "none" | "mprescripts" | "mspace" => return None,
            "semantics" => child(0).to_owned(),
            "msup" => format!("{}^{}", base(child(0)), argument(child(1))),
            "msub" => format!("{}_{}", base(child(0)), argument(child(1))),
            "msubsup" | "munderover" => {
                format!("{}_{}^{}", base(child(0)), argument(child(1)), argument(child(2)))
            }
            "munder" if WITH_LIMITS.contains(&child(0)) => format!("{}_{}", child(0), argument(child(1))),
            "munder" => format!("\\underset{{{}}}{{{}}}", child(1), child(0)),
            "mover" if WITH_LIMITS.contains(&child(0)) => format!("{}^{}", child(0), argument(child(1))),
            "mover" => match ACCENTS.iter().find(|(mark, _)| *mark == child(1)) {
                Some((_, command)) => format!("\\{command}{{{}}}", child(0)),
                None => format!("\\overset{{{}}}{{{}}}", child(1), child(0)),
            },
            "mfrac" => format!("\\frac{{{}}}{{{}}}", child(0), child(1)),
            "msqrt" => format!("\\sqrt{{{}}}", joined(&self.children)),
            "mroot" => format!("\\sqrt[{}]{{{}}}", child(1), child(0)),
            "mtr" | "mlabeledtr" => self.children.join(" & "),
            "mtable" => format!("\\begin{{matrix}} {} \\end{{matrix}}", self.children.join(" \\\\ ")),
            "mfenced" => self.fenced(),
            _ => joined(&self.children),
        };
        // The cells of a table and the parts of a fraction are counted, whether anything is in them or not.
        let is_part = matches!(self.name.as_str(), "mtd" | "mrow" | "mstyle" | "mi" | "mn" | "mo" | "mtext");
        (is_part || !formula.is_empty()).then_some(formula)
    }

    /// What stands between brackets, which are attributes.
    fn fenced(&self) -> String {
        let attribute = |name: &str| {
            let (_, value) = self.attributes.split_once(name)?;
            let value = value.trim_start().strip_prefix('=')?.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, _) = value.get(1..)?.split_once(quote)?;
            Some(symbols(&decoded(value), false))
        };
        let or = |found: Option<String>, usual: &str| found.unwrap_or_else(|| usual.to_owned());
        let (open, end) = (or(attribute("open"), "("), or(attribute("close"), ")"));
        let separator = or(attribute("separators"), ",");
        format!("{open}{}{end}", self.children.join(&separator))
    }
}

/// Pieces side by side: a command ends where no letter follows.
fn joined(pieces: &[String]) -> String {
    let mut out = String::new();
    for piece in pieces {
        let is_command = out
            .rsplit_once('\\')
            .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if is_command && piece.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.push(' ');
        }
        out.push_str(piece);
    }
    out
}

/// Whether a piece is one letter, number or command.
fn is_single(piece: &str) -> bool {
    let is_command = piece
        .strip_prefix('\\')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    is_command || piece.chars().count() == 1
}

/// What carries a script.
fn base(piece: &str) -> Cow<'_, str> {
    let is_number = !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit());
    if is_single(piece) || is_number { Cow::Borrowed(piece) } else { Cow::Owned(format!("{{{piece}}}")) }
}

/// A script.
fn argument(piece: &str) -> Cow<'_, str> {
    if piece.chars().count() == 1 { Cow::Borrowed(piece) } else { Cow::Owned(format!("{{{piece}}}")) }
}

/// The text of a letter, number or operator.
fn symbols(text: &str, is_letter: bool) -> String {
    if FUNCTIONS.contains(&text) {
        return format!("\\{text}");
    }
    let is_word = is_letter && text.chars().count() > 1 && text.chars().all(char::is_alphabetic);
    if is_word && text.is_ascii() {
        return format!("\\mathrm{{{text}}}");
    }
    let pieces: Vec<String> = text.chars().map(symbol).collect();
    joined(&pieces)
}

/// A character as `LaTeX` has it; one without a command stays as it is.
fn symbol(c: char) -> String {
    if let Some((_, command)) = SYMBOLS.iter().find(|(known, _)| *known == c) {
        return format!("\\{command}");
    }
    match c {
        '\u{2061}'..='\u{2064}' | '\u{200B}' => String::new(),
        '−' | '‐' => "-".to_owned(),
        '′' => "'".to_owned(),
        c if c.is_whitespace() => " ".to_owned(),
        '{' | '}' | '%' | '$' | '#' | '&' | '_' => format!("\\{c}"),
        c => c.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| {
            if matches!(c, '{' | '}' | '%' | '$' | '#' | '&' | '_') {
                format!("\\{c}")
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Characters and their commands.
const SYMBOLS: &[(char, &str)] = &[
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "varepsilon"),
    ('ϵ', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "varphi"),
    ('ϕ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Ξ', "Xi"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
    ('×', "times"),
    ('÷', "div"),
    ('·', "cdot"),
    ('⋅', "cdot"),
    ('±', "pm"),
    ('∓', "mp"),
    ('≤', "le"),
    ('≥', "ge"),
    ('≠', "ne"),
    ('≈', "approx"),
    ('≡', "equiv"),
    ('∼', "sim"),
    ('∝', "propto"),
    ('∞', "infty"),
    ('∂', "partial"),
    ('∇', "nabla"),
    ('∑', "sum"),
    ('∏', "prod"),
    ('∫', "int"),
    ('⋃', "bigcup"),
    ('⋂', "bigcap"),
    ('∪', "cup"),
    ('∩', "cap"),
    ('∈', "in"),
    ('∉', "notin"),
    ('⊂', "subset"),
    ('⊆', "subseteq"),
    ('∅', "emptyset"),
    ('∀', "forall"),
    ('∃', "exists"),
    ('¬', "neg"),
    ('∧', "wedge"),
    ('∨', "vee"),
    ('→', "to"),
    ('←', "leftarrow"),
    ('↔', "leftrightarrow"),
    ('⇒', "Rightarrow"),
    ('⇔', "Leftrightarrow"),
    ('↦', "mapsto"),
    ('…', "ldots"),
    ('⋯', "cdots"),
    ('∘', "circ"),
    ('⟨', "langle"),
    ('⟩', "rangle"),
    ('ℝ', "mathbb{R}"),
    ('ℕ', "mathbb{N}"),
    ('ℤ', "mathbb{Z}"),
    ('ℚ', "mathbb{Q}"),
    ('ℂ', "mathbb{C}"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn presentation_becomes_latex() {
        for (source, expected) in [
            ("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "x^2"),
            (
                "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mi>b</mi></mfrac></math>",
                "\\frac{a+1}{b}",
            ),
            ("<math><msqrt><mn>2</mn></msqrt><mroot><mi>x</mi><mn>3</mn></mroot>", "\\sqrt{2}\\sqrt[3]{x}"),
            (
                "<math><munderover><mo>&sum;</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msub><mi>a</mi><mi>i</mi></msub>",
                "\\sum_{i=1}^na_i",
            ),
            ("<math><mi>α</mi><mi>x</mi><mo>≤</mo><mi>sin</mi><mi>y</mi>", "\\alpha x\\le\\sin y"),
            (
                "<math><mover><mi>v</mi><mo>→</mo></mover><mo>\u{2062}</mo><mtext>for all</mtext>",
                "\\vec{v}\\text{for all}",
            ),
            ("<math><mfenced open=\"[\" close=']'><mi>a</mi><mi>b</mi></mfenced>", "[a,b]"),
            (
                "<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd></mtd></mtr><mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable>",
                "\\begin{matrix} 1 &  \\\\ 3 & 4 \\end{matrix}",
            ),
            (
                "<math><mrow><mn>10</mn></mrow><!-- x --><msup><mn>10</mn><mrow><mo>−</mo><mn>4</mn></mrow></msup>",
                "1010^{-4}",
            ),
            ("<math><mi>10%</mi></math> behind", "10\\%"),
        ] {
            assert_eq!(latex(source).as_deref(), Some(expected), "{source}");
        }
        assert_eq!(latex("<math><mspace/></math>"), None);
        assert_eq!(latex(&"<math><mrow>".repeat(100)), None);
    }

    proptest! {
        #[test]
        fn any_source_is_read(source in "(<math>|<m(i|n|o|sup|frac|row|over)>|</m(i|sup|row|ath)>|<mspace/>|x|&lt;|<|>|∑|\\PC){0,24}") {
            let _ = latex(&source);
        }
    }
}
