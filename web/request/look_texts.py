"""The names of the looks and what they do, for people: those of `media/editing/looks.json`, which can be translated here."""

from __future__ import annotations

from web.i18n.translations import N_

LOOK_TEXTS = {
    "linen": (N_("Linen"), N_("Soft and bright, quiet colours, a little warm")),
    "veranda": (N_("Veranda"), N_("Airy and clean, open shadows")),
    "meadow": (N_("Meadow"), N_("Fresh greens and warm sun")),
    "clearwater": (N_("Clearwater"), N_("Crisp and cool, deep clear blues")),
    "orchard": (N_("Orchard"), N_("Rich natural colour with punch")),
    "apricot": (N_("Apricot"), N_("Peach light, soft faded film")),
    "wheat": (N_("Wheat"), N_("Golden late-summer light, muted blues")),
    "hearth": (N_("Hearth"), N_("Amber glow, deep brown shadows")),
    "terracotta": (N_("Terracotta"), N_("Clay reds, olive greens, dusty blues")),
    "postcard": (N_("Postcard"), N_("Old colour print: cream whites, blue blacks")),
    "harbour": (N_("Harbour"), N_("Slate-blue shadows, calm and matte")),
    "juniper": (N_("Juniper"), N_("Cool deep greens, film-like")),
    "drizzle": (N_("Drizzle"), N_("Rainy day: pale, grey-blue, grainy")),
    "icehouse": (N_("Icehouse"), N_("Bright and cold, hard light")),
    "lilac": (N_("Lilac"), N_("Pastel violet shadows, faded")),
    "pewter": (N_("Pewter"), N_("Even black and white with long greys")),
    "soot": (N_("Soot"), N_("Hard black and white, dark skies, grain")),
    "chalk": (N_("Chalk"), N_("High-key soft black and white")),
    "plate": (N_("Plate"), N_("Brown-toned old plate, dark edges")),
    "bluestone": (N_("Bluestone"), N_("Blue-black shadows, cream highlights")),
    "lantern": (N_("Lantern"), N_("Teal night, orange lights")),
    "velvet": (N_("Velvet"), N_("Low-key plum shadows, jewel colours")),
    "undertow": (N_("Undertow"), N_("Dark, drained, sea-green")),
    "afterglow": (N_("Afterglow"), N_("Sunset orange over dusk blue")),
}
"""Name and note by id."""
