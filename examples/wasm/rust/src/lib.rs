//! A function as a component of emberd's world: the event and the answer are strings, what is
//! printed is logged, and a Failure is an error that callers read.

use serde::{Deserialize, Serialize};

wit_bindgen::generate!({ world: "function", path: "../../../runtimes/wasm/wit" });

#[derive(Deserialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Serialize)]
struct Receipt {
    item: String,
    cents: u32,
    orders: u32,
}

struct Shop;

impl Guest for Shop {
    fn handle(event: String, context: Context) -> Result<String, Failure> {
        println!("event {}", context.request_id);
        let order: Order = serde_json::from_str(&event).map_err(|error| Failure {
            error_type: "Shop.NoOrder".to_string(),
            error_message: error.to_string(),
        })?;
        let receipt = Receipt { item: order.item, cents: order.count * 250, orders: 1 };
        Ok(serde_json::to_string(&receipt).expect("a receipt is JSON"))
    }
}

export!(Shop);
