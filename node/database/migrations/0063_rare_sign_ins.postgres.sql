-- The log of somebody's sign-ins is short, whatever the number of accounts; see 0053.
ALTER TABLE sign_ins
    ALTER COLUMN account_id SET (n_distinct = -0.01);
