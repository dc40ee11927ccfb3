// Runs before a page is first shown: the fade from the page before is given up where a page is slow, or is left again at
// once. A browser reports that as an error that nobody handled; without the fade the page is simply there.

function ignoreSkipped(transition) {
  for (const name of ["ready", "finished", "updateCallbackDone"]) transition?.[name]?.catch(() => {});
}

ignoreSkipped(document.activeViewTransition);
for (const name of ["pagereveal", "pageswap"]) addEventListener(name, (event) => ignoreSkipped(event.viewTransition));
