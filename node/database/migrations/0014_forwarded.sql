-- Forwarded activities by their object: its deletion is forwarded too.
CREATE INDEX outbox_forwarded ON outbox (object_uri) WHERE verb = 'Forward';
