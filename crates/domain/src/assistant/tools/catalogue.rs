//! Which tools there are.

use super::{
    Entry,
    arguments::{Field, Form},
};
use crate::catalog::STOCK_MAX;

/// What a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Search,
    Read,
    Similar,
    Own,
    Draft,
}

impl Task {
    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        self == Self::Draft
    }

    /// Whether it is for who may write products, as the same is by itself.
    pub fn is_for_sellers(self) -> bool {
        matches!(self, Self::Own | Self::Draft)
    }
}

/// The most products that a tool gives: what a model reads costs.
pub(super) const MOST: i64 = 20;

const LIMIT: Field = Field {
    name: "limit",
    about: "The most products to give; 10 when absent.",
    form: Form::Whole(1, MOST),
    required: false,
};

const PRODUCT: Field = Field { name: "productId", about: "The id of the product.", form: Form::Id, required: true };

const CATEGORY: Field =
    Field { name: "categoryId", about: "The id of a category, as products name it.", form: Form::Id, required: false };

/// All tools.
pub(super) const TOOLS: [Entry; 5] = [
    Entry {
        task: Task::Search,
        name: "search_products",
        title: "Search products",
        description: "Finds published products by words and by meaning, the best first. Prices are texts in major units of \
                      `currency`. Descriptions are cut short; read_product gives the whole.",
        fields: &[
            Field { name: "query", about: "What to look for, in words.", form: Form::Text(1, 500), required: true },
            Field {
                name: "mode",
                about: "text: only products that have all words; hybrid, the default: by meaning, too.",
                form: Form::Word(&["text", "hybrid"]),
                required: false,
            },
            CATEGORY,
            Field {
                name: "minPrice",
                about: "Costs at least this, in major units, such as \"10\" or \"19.95\".",
                form: Form::Decimal,
                required: false,
            },
            Field {
                name: "maxPrice",
                about: "Costs at most this, in major units, such as \"10\" or \"19.95\".",
                form: Form::Decimal,
                required: false,
            },
            LIMIT,
        ],
    },
    Entry {
        task: Task::Read,
        name: "read_product",
        title: "Read a product",
        description: "Reads one product with its whole description, its category, what else is said of it and its newest \
                      reviews.",
        fields: &[PRODUCT],
    },
    Entry {
        task: Task::Similar,
        name: "list_similar_products",
        title: "List similar products",
        description: "Lists published products like another, the likest first.",
        fields: &[PRODUCT, LIMIT],
    },
    Entry {
        task: Task::Own,
        name: "list_own_products",
        title: "List my products",
        description: "Lists the products of the seller account of whoever asks, the newest first, drafts and archived ones \
                      among them.",
        fields: &[
            Field {
                name: "status",
                about: "Only those with this status; all when absent.",
                form: Form::Word(&["draft", "published", "archived"]),
                required: false,
            },
            Field {
                name: "sellerId",
                about: "Which of one's seller accounts, for who is a member of several.",
                form: Form::Id,
                required: false,
            },
            Field {
                name: "page",
                about: "The page, from 1, the default.",
                form: Form::Whole(1, 10_000),
                required: false,
            },
            LIMIT,
        ],
    },
    Entry {
        task: Task::Draft,
        name: "draft_listing",
        title: "Draft a listing",
        description: "Proposes a new product as a draft, which only its seller sees until they publish it. Nothing is written \
                      before the proposal is confirmed: show its summary to the person and ask.",
        fields: &[
            Field { name: "name", about: "Its name.", form: Form::Name, required: true },
            Field { name: "description", about: "What it is.", form: Form::Text(0, 1000), required: false },
            Field {
                name: "price",
                about: "What it costs, in major units of the shop's currency, such as \"19.95\".",
                form: Form::Decimal,
                required: true,
            },
            Field {
                name: "stock",
                about: "Pieces on hand; 0 when absent.",
                form: Form::Whole(0, STOCK_MAX),
                required: false,
            },
            CATEGORY,
            Field { name: "sku", about: "The seller's own number for it.", form: Form::Text(1, 64), required: false },
        ],
    },
];
