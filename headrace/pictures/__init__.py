"""Pictures of items, as small as the item tower reads them."""
