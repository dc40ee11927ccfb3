-- Tokens without a MAC, which are not accepted any more. Nobody could use them, and the settings would still list them.
DELETE FROM sessions;
DELETE FROM tokens;
