import { QueryClientProvider } from "@tanstack/react-query";
import { Component, Suspense, type ReactNode } from "react";
import { Route, Switch } from "wouter";
import { client } from "../api/queries";
import { EmptyState, ErrorState } from "../design/EmptyState";
import { to } from "../lib/url";
import { Layout } from "./Layout";
import { Leaving } from "./Leaving";
import { PAGES } from "./pages";

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Leaving>
        <Layout>
          <Switch>
            {PAGES.flatMap(page =>
              page.paths.map(path => (
                <Route key={path} path={path}>
                  <Boundary>
                    <Suspense fallback={<div className="page faint" aria-busy="true" />}>
                      <page.component />
                    </Suspense>
                  </Boundary>
                </Route>
              )),
            )}
            <Route>
              <EmptyState icon="search" title="There is nothing at this address">
                <a href={to.home()}>Go to the beginning</a>, or find it with <kbd>Ctrl</kbd> <kbd>K</kbd>.
              </EmptyState>
            </Route>
          </Switch>
        </Layout>
      </Leaving>
    </QueryClientProvider>
  );
}

/** A page that fails says so in its place; the rest goes on. */
class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const isUnloaded = /dynamically imported module|Importing a module/i.test(error.message);
    return (
      <ErrorState
        error={isUnloaded ? new Error("This page could not be loaded") : error}
        hint={isUnloaded ? "The server is away, or the console was updated since it was opened." : undefined}
        onRetry={() => location.reload()}
      />
    );
  }
}
