// What a test can have the people of this peer do, and what it can ask.

import {
  Announce, Create, Delete, Document, Follow, Image, Like, Note, PUBLIC_COLLECTION, Tombstone, Undo, Update,
} from "@fedify/vocab";
import { described } from "./world.js";

async function actor(world, who, uri) {
  const ctx = world.context;
  const documentLoader = await ctx.getDocumentLoader({ identifier: who });
  const found = await ctx.lookupObject(uri, { documentLoader });
  if (found === null) throw new Error(`${uri} was not found`);
  return found;
}

/** Say something to one server, or to all followers. */
async function say(world, who, activity, to = "followers") {
  await world.context.sendActivity({ identifier: who }, to, activity, { preferSharedInbox: true });
}

function addressing(world, who, visibility) {
  const followers = world.context.getFollowersUri(who);
  if (visibility === "followers") return { tos: [followers] };
  return { tos: [PUBLIC_COLLECTION], ccs: [followers] };
}

function attachments(world, alts) {
  // Both kinds that are in use; a single one goes out as an object, not a list.
  return alts.map((name, number) => new (number % 2 ? Document : Image)({
    url: new URL(`/media/${crypto.randomUUID()}.jpg`, world.origin),
    mediaType: "image/jpeg",
    name,
    width: 64,
    height: 48,
  }));
}

async function withTarget(world, who, uri) {
  const object = await actor(world, who, uri);
  return { object, author: await actor(world, who, object.attributionId.href) };
}

export const verbs = {
  async person(world, { name, locked = false }) {
    world.people.set(name, {
      name, locked, followers: new Map(), following: new Map(), blockedBy: new Map(), asked: new Map(), said: new Map(),
    });
    await world.context.getActorKeyPairs(name);
    return world.context.getActorUri(name).href;
  },

  async refuse(world, { dialect }) {
    world.refuses = dialect;
  },

  async follow(world, { who, target }) {
    const person = await actor(world, who, target);
    const id = world.newId(who, "follows");
    const follow = new Follow({ id, actor: world.context.getActorUri(who), object: person.id });
    world.people.get(who).following.set(person.id.href, "asked");
    world.people.get(who).said.set(`follow ${person.id.href}`, follow);
    await say(world, who, follow, person);
  },

  async unfollow(world, { who, target }) {
    const person = await actor(world, who, target);
    world.people.get(who).following.delete(person.id.href);
    await this.undo(world, { who, what: `follow ${person.id.href}`, target });
  },

  async accept(world, { who, asker }) {
    await world.accept(world.context, who, asker);
  },

  async post(world, { who, content, alts = [], visibility = "public", replyTo = null }) {
    const number = `${world.posts.size + 1}`;
    const id = world.context.getObjectUri(Note, { identifier: who, number });
    const about = addressing(world, who, visibility);
    const note = new Note({
      id,
      url: id,
      attribution: world.context.getActorUri(who),
      content,
      attachments: attachments(world, alts),
      published: world.now,
      replyTarget: replyTo === null ? undefined : new URL(replyTo),
      ...about,
    });
    world.posts.set(`${who}/${number}`, { author: who, note });
    const create = new Create({ id: new URL(`${id}#create`), actor: note.attributionId, object: note, ...about });
    await say(world, who, create);
    if (replyTo !== null) await say(world, who, create, (await withTarget(world, who, replyTo)).author);
    return id.href;
  },

  async edit(world, { who, id, content }) {
    const [path, post] = [...world.posts].find(([, one]) => one.note.id.href === id);
    const note = post.note.clone({ content, updated: world.now });
    world.posts.set(path, { ...post, note });
    await say(world, who, new Update({
      id: new URL(`${id}#update/${crypto.randomUUID()}`),
      actor: note.attributionId,
      object: note,
      tos: note.toIds,
      ccs: note.ccIds,
    }));
  },

  async delete(world, { who, id }) {
    const [path, post] = [...world.posts].find(([, one]) => one.note.id.href === id);
    world.posts.delete(path);
    await say(world, who, new Delete({
      id: new URL(`${id}#delete`),
      actor: post.note.attributionId,
      object: new Tombstone({ id: new URL(id) }),
      tos: post.note.toIds,
      ccs: post.note.ccIds,
    }));
  },

  async like(world, { who, target }) {
    const { object, author } = await withTarget(world, who, target);
    const like = new Like({
      id: world.newId(who, "likes"), actor: world.context.getActorUri(who), object: object.id, to: author.id,
    });
    world.people.get(who).said.set(`like ${target}`, like);
    await say(world, who, like, author);
  },

  async boost(world, { who, target }) {
    const { object, author } = await withTarget(world, who, target);
    const boost = new Announce({
      id: world.newId(who, "boosts"),
      actor: world.context.getActorUri(who),
      object: object.id,
      published: world.now,
      tos: [PUBLIC_COLLECTION],
      ccs: [world.context.getFollowersUri(who), author.id],
    });
    world.people.get(who).said.set(`boost ${target}`, boost);
    await say(world, who, boost);
    await say(world, who, boost, author);
  },

  /** Take back what was said: `what` is "like URI", "boost URI" or "follow URI". */
  async undo(world, { who, what, target }) {
    const object = world.people.get(who).said.get(what);
    const found = await actor(world, who, target);
    const to = found.attributionId ? await actor(world, who, found.attributionId.href) : found;
    await say(world, who, new Undo({
      id: world.newId(who, "undos"), actor: world.context.getActorUri(who), object, to: to.id,
    }), to);
  },

  /** A document of another server, fetched as one of our people. */
  async look(world, { who, uri }) {
    const found = await actor(world, who, uri);
    return found instanceof Note
      ? await described(found, world.context)
      : await found.toJsonLd({ format: "compact", contextLoader: world.context.contextLoader });
  },

  /** An avatar, photo or anything else by its address: [status, type, number of bytes, first three]. */
  async picture(_world, { url }) {
    const response = await fetch(url);
    const bytes = Buffer.from(await response.arrayBuffer());
    return [response.status, response.headers.get("content-type"), bytes.length, bytes.subarray(0, 3).toString("hex")];
  },

  async state(world) {
    return {
      people: Object.fromEntries([...world.people].map(([name, person]) => [name, {
        followers: [...person.followers.keys()],
        following: Object.fromEntries(person.following),
        blockedBy: [...person.blockedBy.keys()],
        asked: [...person.asked.keys()],
      }])),
      seen: Object.fromEntries(world.seen),
      likes: world.likes.map((one) => one.slice(1)),
      boosts: world.boosts.map((one) => one.slice(1)),
      received: world.received,
      requests: world.requests,
    };
  },
};
