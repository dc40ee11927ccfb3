-- What the clean-up looks for among the keys of all accounts: those of local ones that were replaced lately.
CREATE INDEX keys_replaced ON keys (fetched_at) WHERE replaced IS NOT NULL;
