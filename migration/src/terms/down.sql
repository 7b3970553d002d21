DROP INDEX assistant_calls_began;
ALTER TABLE api_keys DROP COLUMN models;
DROP TABLE provider_keys;
DROP TABLE assistant_budgets;
DROP TABLE assistant_prices;
