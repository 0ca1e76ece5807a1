// Prices in words. Amounts are in the smallest unit of the currency, as the API has them.

/** `19.99 €` in the visitor's language; empty where there is no price. */
export function priceOf({ price }) {
  if (!price) return "";
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency: price.currency });
  return format.format(price.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** What some items cost together, by currency. */
export function totalOf(items) {
  const totals = {};
  for (const { price } of items) {
    if (price) totals[price.currency] = (totals[price.currency] ?? 0) + price.amount;
  }
  return Object.entries(totals).map(([currency, amount]) => priceOf({ price: { amount, currency } })).join(" + ");
}
