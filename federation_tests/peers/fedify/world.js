// What this peer holds: its people, what they wrote, and what others told them. All of it is forgotten when
// a test begins; only key pairs, which are slow to make, stay.

import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import {
  Accept, Announce, Block, Create, Delete, Endpoints, Follow, Image, Like, Note, Person, Reject, Undo, Update,
} from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const pairs = new Map();

async function keyPairs(name) {
  if (!pairs.has(name)) {
    pairs.set(name, Promise.all([
      generateCryptoKeyPair("RSASSA-PKCS1-v1_5"),
      generateCryptoKeyPair("Ed25519"),
    ]));
  }
  return await pairs.get(name);
}

/** The dialect of a request's signature: "rfc9421", "cavage" or "none". */
function style(request) {
  if (request.headers.has("signature-input")) return "rfc9421";
  return request.headers.has("signature") ? "cavage" : "none";
}

/** What a reader of this server would see of a note. */
export async function described(note, context) {
  const attachments = [];
  for await (const one of note.getAttachments(context)) {
    attachments.push({
      type: one.constructor.name,
      url: (one.url?.href ?? one.url)?.toString() ?? null,
      mediaType: one.mediaType ?? null,
      name: one.name?.toString() ?? null,
      width: one.width ?? null,
      height: one.height ?? null,
    });
  }
  const tags = [];
  for await (const tag of note.getTags(context)) tags.push(`${tag.constructor.name} ${tag.name}`);
  return {
    id: note.id.href,
    author: note.attributionId.href,
    content: note.content?.toString() ?? "",
    replyTo: note.replyTargetId?.href ?? null,
    sensitive: note.sensitive ?? false,
    url: note.url?.toString() ?? null,
    to: note.toIds.map(String),
    cc: note.ccIds.map(String),
    published: note.published?.toString() ?? null,
    updated: note.updated?.toString() ?? null,
    attachments,
    tags,
  };
}

export class World {
  /**
   * `refuses` is a dialect that this server does not take (only in requests of the method `refusesOf`, only
   * `refusals` times); `secure`: its documents want signed requests.
   */
  constructor(origin, { refuses = null, refusesOf = null, refusals = Infinity, secure = false, firstKnock = "rfc9421", picture = "" }) {
    this.origin = origin;
    this.refuses = refuses;
    this.refusesOf = refusesOf;
    this.refusals = refusals;
    this.secure = secure;
    this.picture = Buffer.from(picture, "base64");
    this.people = new Map();
    this.posts = new Map(); // what our people wrote: path → {author, note}
    this.seen = new Map(); // what others wrote: id → described note
    this.likes = [];
    this.boosts = [];
    this.received = [];
    this.requests = []; // [method, path, dialect, status]
    this.federation = createFederation({
      kv: new MemoryKvStore(),
      origin,
      allowPrivateAddress: true,
      firstKnock,
    });
    this.#actors();
    this.#listen();
  }

  get context() {
    return this.federation.createContext(new URL(this.origin), undefined);
  }

  async answer(request) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/media/")) {
      return new Response(this.picture, { headers: { "content-type": "image/jpeg" } });
    }
    const dialect = style(request);
    const method = request.method;
    const isRefused = dialect === this.refuses && [null, method].includes(this.refusesOf) && this.refusals > 0;
    if (isRefused) this.refusals -= 1;
    const response = isRefused
      ? new Response("this kind of signature is not known here", { status: 401 })
      : await this.federation.fetch(request, { contextData: undefined });
    this.requests.push([method, path, dialect, response.status]);
    return response;
  }

  #actors() {
    const signed = async (ctx) => !this.secure || (await ctx.getSignedKeyOwner()) !== null;
    const open = (identifier) => identifier === "instance";
    this.federation
      .setActorDispatcher("/people/{identifier}", async (ctx, identifier) => {
        const person = this.people.get(identifier);
        if (person === undefined && !open(identifier)) return null;
        const keys = await ctx.getActorKeyPairs(identifier);
        return new Person({
          id: ctx.getActorUri(identifier),
          preferredUsername: identifier,
          name: person?.name ?? identifier,
          inbox: ctx.getInboxUri(identifier),
          endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
          followers: ctx.getFollowersUri(identifier),
          manuallyApprovesFollowers: person?.locked ?? false,
          icon: new Image({ url: new URL(`/media/${identifier}.jpg`, this.origin), mediaType: "image/jpeg" }),
          publicKey: keys[0].cryptographicKey,
          assertionMethods: keys.map((pair) => pair.multikey),
        });
      })
      .setKeyPairsDispatcher(async (_ctx, identifier) =>
        this.people.has(identifier) || open(identifier) ? await keyPairs(identifier) : [])
      .authorize(async (ctx, identifier) => open(identifier) || await signed(ctx));
    this.federation
      .setFollowersDispatcher("/people/{identifier}/followers", async (_ctx, identifier) => {
        const person = this.people.get(identifier);
        return person === undefined ? null : { items: [...person.followers.values()] };
      })
      .setCounter(async (_ctx, identifier) => this.people.get(identifier)?.followers.size ?? 0);
    this.federation
      .setObjectDispatcher(Note, "/people/{identifier}/posts/{number}", async (_ctx, values) =>
        this.posts.get(`${values.identifier}/${values.number}`)?.note ?? null)
      .authorize(signed);
  }

  #listen() {
    const on = (type, handle) => listeners.on(type, async (ctx, activity) => {
      this.received.push([type.name, activity.id?.href ?? null, activity.actorId?.href ?? null]);
      await handle(ctx, activity);
    });
    const listeners = this.federation
      .setInboxListeners("/people/{identifier}/inbox", "/inbox")
      .setSharedKeyDispatcher(() => ({ identifier: "instance" }));
    on(Follow, async (ctx, follow) => {
      const found = ctx.parseUri(follow.objectId);
      const person = found?.type === "actor" ? this.people.get(found.identifier) : undefined;
      const asker = await follow.getActor(ctx);
      if (person === undefined || asker === null) return;
      person.asked.set(asker.id.href, { asker, follow });
      if (!person.locked) await this.accept(ctx, found.identifier, asker.id.href);
    });
    on(Accept, async (ctx, accept) => {
      const me = await this.#asker(ctx, accept);
      me?.following.set(accept.actorId.href, "accepted");
    });
    on(Reject, async (ctx, reject) => {
      const me = await this.#asker(ctx, reject);
      me?.following.delete(reject.actorId.href);
    });
    for (const type of [Create, Update]) {
      on(type, async (ctx, activity) => {
        const object = await activity.getObject(ctx);
        if (object instanceof Note && object.attributionId?.href === activity.actorId.href) {
          this.seen.set(object.id.href, await described(object, ctx));
        }
      });
    }
    on(Delete, async (_ctx, activity) => {
      if (this.seen.get(activity.objectId.href)?.author === activity.actorId.href) {
        this.seen.delete(activity.objectId.href);
      }
    });
    on(Like, async (_ctx, like) => {
      this.likes.push([like.id.href, like.actorId.href, like.objectId.href]);
    });
    on(Announce, async (_ctx, boost) => {
      this.boosts.push([boost.id.href, boost.actorId.href, boost.objectId.href]);
    });
    on(Block, async (ctx, block) => {
      const found = ctx.parseUri(block.objectId);
      const me = found?.type === "actor" ? this.people.get(found.identifier) : undefined;
      me?.blockedBy.set(block.actorId.href, block.id.href);
    });
    on(Undo, async (ctx, undo) => {
      const undone = await undo.getObject(ctx);
      if (undone === null || undone.actorId?.href !== undo.actorId.href) return;
      const others = ([id]) => id !== undone.id.href;
      if (undone instanceof Like) this.likes = this.likes.filter(others);
      if (undone instanceof Announce) this.boosts = this.boosts.filter(others);
      if (undone instanceof Block) {
        const found = ctx.parseUri(undone.objectId);
        const me = found?.type === "actor" ? this.people.get(found.identifier) : undefined;
        if (me?.blockedBy.get(undo.actorId.href) === undone.id.href) me.blockedBy.delete(undo.actorId.href);
      }
      if (undone instanceof Follow) {
        const found = ctx.parseUri(undone.objectId);
        if (found?.type === "actor") this.people.get(found.identifier)?.followers.delete(undo.actorId.href);
      }
    });
    listeners.onError(async (_ctx, error) => console.error(error));
  }

  /** Which of our people asked what is answered here: the answer must be by whom they asked, to what they said. */
  async #asker(ctx, answer) {
    // The follow is of this server and embedded by another one, so its id is what is trusted of it.
    const follow = await answer.getObject({ ...ctx, crossOrigin: "trust" });
    const found = follow instanceof Follow ? ctx.parseUri(follow.actorId) : null;
    const me = found?.type === "actor" ? this.people.get(found.identifier) : undefined;
    const said = me?.said.get(`follow ${answer.actorId.href}`);
    return said?.id.href === follow?.id.href ? me : undefined;
  }

  async accept(ctx, identifier, askerId) {
    const person = this.people.get(identifier);
    const { asker, follow } = person.asked.get(askerId);
    person.asked.delete(askerId);
    person.followers.set(askerId, asker);
    await ctx.sendActivity({ identifier }, asker, new Accept({
      id: this.newId(identifier, "accepts"),
      actor: ctx.getActorUri(identifier),
      object: follow,
    }));
  }

  newId(identifier, kind) {
    return new URL(`/people/${identifier}/${kind}/${crypto.randomUUID()}`, this.origin);
  }

  get now() {
    return Temporal.Now.instant();
  }
}
