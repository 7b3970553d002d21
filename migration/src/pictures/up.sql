-- What is kept of a picture that was uploaded, as JSON; nothing of a link.
ALTER TABLE product_images ADD COLUMN picture text;
CREATE INDEX product_images_uploaded ON product_images (product_id) WHERE picture IS NOT NULL;
