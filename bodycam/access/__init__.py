"""Who may do what to which: one table of role, action and scope, read by every route and every listing."""
