"""The pages of the app: layout and events, no painting."""
