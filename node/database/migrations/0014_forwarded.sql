-- What was passed on to followers, by what it is about: they hear of its end too.
CREATE INDEX outbox_forwarded ON outbox (object_uri) WHERE verb = 'Forward';
