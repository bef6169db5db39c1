//! Options of `mask`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Masks what tells who somebody is (PII): addresses, numbers of cards and telephones, credentials.
///
/// Put it behind the stages that judge: what is masked is judged the same, but a page that is dropped need not be masked.
///
/// ```toml
/// [[stage]]
/// use = "mask"
/// kinds = ["email", "cn-mobile", "cn-id-card"]
/// ```
///
/// | kind | what is masked | placeholder |
/// | --- | --- | --- |
/// | `email` | `name@host.tld` | `[EMAIL]` |
/// | `ip` | public IPv4 addresses; local and reserved ones tell nobody, and four numbers under 100 are a version unless they are called an address | `[IP]` |
/// | `credentials` | `user:password` in an address, and what follows `password=`, `api_key=`, `token=` and the like in one | `[SECRET]` |
/// | `cn-id-card` | 18 digits whose date exists and whose check digit is right (GB 11643) | `[ID-CARD]` |
/// | `cn-mobile` | 1 and ten digits of a range that is in use, with +86, blanks and hyphens | `[PHONE]` |
/// | `phone` | `+` and 8 to 15 digits in groups; landlines of China with their area code (`010-…`, `（0571）…`), and numbers of North America as `(555) 230-0100`; without hyphen or bracket behind a label such as `电话` or `Tel.` | `[PHONE]` |
/// | `bank-card` | 16 to 19 digits of a known issuer whose check digit is right (Luhn) | `[BANK-CARD]` |
/// | `cn-social-credit` | 18 characters whose check character is right (GB 32100), behind a label | `[CREDIT-CODE]` |
/// | `cn-plate` | number plates | `[PLATE]` |
/// | `account` | WeChat and QQ accounts behind `微信号：`, `QQ：` and the like | `[ACCOUNT]` |
///
/// Precision goes before recall: pages are full of numbers that are prices, dates and articles, so a number counts
/// by its check digit, its label or its form, and not in the middle of a longer one. Telephones and cards are none before
/// a unit (`元`, `万`, `人次`), nor behind the sign of a currency or the label of an order or a sum (`￥`, `订单号`, `总价`).
/// Digits, letters and `＠` in full width count as those of ASCII. Landlines of other countries without `+`, those of service
/// (`400-…`, `95…`), and metadata are not looked at.
/// On 3,754 real pages, a third of them about computers, what is found is 219 addresses of mail, 44 telephones (made-up ones
/// of documentation mostly), 40 accounts, 29 IP addresses (three of which are versions), 12 credentials and 12 mobile numbers.
/// Of 207 landlines on 4,793 pages, in English and Chinese, each was one when read.
/// Names and postal addresses are not looked for: that takes a model.
///
/// Counts: `mask:<kind>`. Measure: `masked`, how many were found. Reason of `action = "drop"`: `mask:<kind>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaskOptions {
    /// What is looked for; by default everything but `cn-social-credit`, which is public, and `cn-plate`.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub kinds: Vec<Kind>,
    /// What becomes of what is found.
    pub action: MaskAction,
    /// The field that `annotate` writes: a list of `{ kind, start, length }`, in characters of the text.
    #[schemars(length(min = 1), extend("x-field" = "write", "x-needs" = {"action": ["annotate"]}))]
    pub field: String,
    /// How many must be found for `drop`.
    #[schemars(range(min = 1), extend("x-needs" = {"action": ["drop"]}))]
    pub min_found: usize,
}

impl Default for MaskOptions {
    fn default() -> Self {
        Self {
            kinds: Kind::DEFAULT.to_vec(),
            action: MaskAction::Mask,
            field: "private".to_owned(),
            min_found: 1,
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {
    "ip-address": "write `ip`",
    "ipv4": "write `ip`",
    "mobile": "write `cn-mobile`, or `phone` for other numbers",
    "phone-number": "write `phone`",
    "phone_number": "write `phone`",
    "id-card": "write `cn-id-card`",
    "credit-card": "write `bank-card`",
    "password": "write `credentials`",
    "secrets": "write `credentials`",
    "qq": "write `account`",
    "wechat": "write `account`",
}))]
pub enum Kind {
    /// Addresses of mail.
    Email,
    /// Public IPv4 addresses.
    Ip,
    /// Passwords and keys in addresses.
    Credentials,
    /// Chinese identity cards.
    CnIdCard,
    /// Chinese mobile telephones.
    CnMobile,
    /// International telephone numbers, and landlines.
    Phone,
    /// Bank and credit cards.
    BankCard,
    /// Unified social credit codes of Chinese companies.
    CnSocialCredit,
    /// Chinese number plates.
    CnPlate,
    /// Accounts of WeChat and QQ.
    Account,
}

impl Kind {
    /// Those that are looked for by default.
    pub const DEFAULT: [Self; 8] = [
        Self::Email,
        Self::Ip,
        Self::Credentials,
        Self::CnIdCard,
        Self::CnMobile,
        Self::Phone,
        Self::BankCard,
        Self::Account,
    ];

    /// The name in options, counts and reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Credentials => "credentials",
            Self::CnIdCard => "cn-id-card",
            Self::CnMobile => "cn-mobile",
            Self::Phone => "phone",
            Self::BankCard => "bank-card",
            Self::CnSocialCredit => "cn-social-credit",
            Self::CnPlate => "cn-plate",
            Self::Account => "account",
        }
    }

    /// What stands in the place of what was masked.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[EMAIL]",
            Self::Ip => "[IP]",
            Self::Credentials => "[SECRET]",
            Self::CnIdCard => "[ID-CARD]",
            Self::CnMobile | Self::Phone => "[PHONE]",
            Self::BankCard => "[BANK-CARD]",
            Self::CnSocialCredit => "[CREDIT-CODE]",
            Self::CnPlate => "[PLATE]",
            Self::Account => "[ACCOUNT]",
        }
    }
}

/// What becomes of what is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskAction {
    /// A placeholder stands in its place.
    #[default]
    Mask,
    /// The text stays, and a field lists where what was found.
    Annotate,
    /// The document is dropped.
    Drop,
}
