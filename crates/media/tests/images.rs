//! Pictures as people send them, and files that only pretend to be one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::Cursor;

use proptest::prelude::*;
use souk_media::image::{Clean, Fault, Format, Orientation, Pixels, Recipe, Rendered, inspect, render};

/// Million pixels that the tests let through.
const MOST: u32 = 50;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("pictures/", $name)).as_slice()
    };
}

const SAMPLES: [(&[u8], Format, (u32, u32)); 5] = [
    (sample!("progressive_cat.jpg"), Format::Jpeg, (320, 240)),
    (sample!("rgba16_basn6a16.png"), Format::Png, (32, 32)),
    (sample!("apng_ball.png"), Format::Png, (100, 100)),
    (sample!("anim.gif"), Format::Gif, (1000, 1000)),
    (sample!("anim.webp"), Format::WebP, (200, 200)),
];

fn clean(file: &[u8]) -> Clean {
    inspect(file, MOST).unwrap()
}

fn rendered(file: &[u8]) -> Rendered {
    render(&clean(file), &Recipe::default()).unwrap()
}

fn refused(file: &[u8]) -> Fault {
    match inspect(file, MOST) {
        Err(fault) => fault,
        Ok(clean) => render(&clean, &Recipe::default()).unwrap_err(),
    }
}

/// A picture whose four quarters have these colours: above left, above right, below left, below right.
fn quarters(width: u32, height: u32, colours: [[u8; 3]; 4]) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let quarter = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
            rgb.extend_from_slice(&colours[quarter]);
        }
    }
    rgb
}

const RED: [u8; 3] = [220, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const WHITE: [u8; 3] = [255, 255, 255];

fn jpeg(width: u16, height: u16, set: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = jpeg_encoder::Encoder::new(&mut file, 92);
    set(&mut writer);
    let rgb = quarters(width.into(), height.into(), [RED, GREEN, BLUE, WHITE]);
    writer.encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    file
}

fn png(width: u32, height: u32, colour: png::ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    file
}

/// Exif that says which way up a picture is, and where it was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend_from_slice(b"GPSLatitude 48 51 30 N");
    tiff
}

fn decoded(jpeg: &[u8]) -> Pixels {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let rgb = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    Pixels { width: info.width.into(), height: info.height.into(), rgb }
}

/// The colours in the middle of the four quarters.
fn seen(jpeg: &[u8]) -> [[u8; 3]; 4] {
    let picture = decoded(jpeg);
    let [width, height] = [picture.width, picture.height].map(|side| usize::try_from(side).unwrap());
    let at = |x: usize, y: usize| picture.rgb[(y * width + x) * 3..][..3].try_into().unwrap();
    let (left, right, above, below) = (width / 4, width * 3 / 4, height / 4, height * 3 / 4);
    [at(left, above), at(right, above), at(left, below), at(right, below)]
}

#[track_caller]
fn near(shown: [[u8; 3]; 4], expected: [[u8; 3]; 4]) {
    let apart = shown.as_flattened().iter().zip(expected.as_flattened()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(apart <= 12, "{shown:?} is not {expected:?}");
}

fn contains(file: &[u8], needle: &[u8]) -> bool {
    file.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn what_people_send_is_rendered() {
    for (file, format, size) in SAMPLES {
        let clean = clean(file);
        assert_eq!((clean.format, (clean.width, clean.height)), (format, size));
        let Rendered { main, thumbnail, blur, colour } = rendered(file);
        assert_eq!((main.width, main.height), size, "nothing is enlarged");
        assert_eq!((thumbnail.width, thumbnail.height), (300, 300));
        for rendition in [&main, &thumbnail] {
            assert_eq!(Format::sniff(&rendition.jpeg), Some(Format::Jpeg));
            assert_eq!(Format::sniff(&rendition.webp), Some(Format::WebP));
            let shown = decoded(&rendition.jpeg);
            assert_eq!((shown.width, shown.height), (rendition.width, rendition.height));
            let webp = image_webp::WebPDecoder::new(Cursor::new(&rendition.webp)).unwrap();
            assert_eq!(webp.dimensions(), (rendition.width, rendition.height));
        }
        assert!((5..=25).contains(&blur.len()), "{}", blur.len());
        assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
    }
}

#[test]
fn a_large_picture_is_made_to_fit_and_its_thumbnail_is_the_middle() {
    let Rendered { main, thumbnail, .. } = rendered(&jpeg(2000, 1000, |_| ()));
    assert_eq!((main.width, main.height, thumbnail.width, thumbnail.height), (1200, 600, 300, 300));
    near(seen(&main.jpeg), [RED, GREEN, BLUE, WHITE]);
    near(seen(&thumbnail.jpeg), [RED, GREEN, BLUE, WHITE]);
    let Rendered { main, thumbnail, .. } = rendered(&jpeg(6000, 400, |_| ()));
    assert_eq!((main.width, main.height, thumbnail.width, thumbnail.height), (1200, 80, 300, 300));
    near(seen(&thumbnail.jpeg), [RED, GREEN, BLUE, WHITE]);
}

#[test]
fn a_picture_is_turned_the_right_way_up_and_says_no_longer_where_it_was_taken() {
    let expected = [
        [RED, GREEN, BLUE, WHITE],
        [GREEN, RED, WHITE, BLUE],
        [WHITE, BLUE, GREEN, RED],
        [BLUE, WHITE, RED, GREEN],
        [RED, BLUE, GREEN, WHITE],
        [BLUE, RED, WHITE, GREEN],
        [WHITE, GREEN, BLUE, RED],
        [GREEN, WHITE, RED, BLUE],
    ];
    for (orientation, expected) in (1..).zip(expected) {
        let file = jpeg(1600, 800, |encoder| encoder.add_exif_metadata(&exif(orientation)).unwrap());
        assert!(contains(&file, b"GPSLatitude"));
        let clean = clean(&file);
        assert_eq!(clean.orientation, Orientation::of(orientation.into()).unwrap());
        assert!(!contains(&clean.bytes, b"Exif") && !contains(&clean.bytes, b"GPS"), "{orientation}");
        let upright = orientation < 5;
        assert_eq!((clean.width, clean.height), if upright { (1600, 800) } else { (800, 1600) });
        let Rendered { main, thumbnail, .. } = render(&clean, &Recipe::default()).unwrap();
        assert_eq!((main.width, main.height), if upright { (1200, 600) } else { (600, 1200) });
        near(seen(&main.jpeg), expected);
        near(seen(&thumbnail.jpeg), expected);
        for shown in [&main.jpeg, &main.webp, &thumbnail.jpeg, &thumbnail.webp] {
            assert!(!contains(shown, b"Exif") && !contains(shown, b"GPS"));
        }
    }
}

#[test]
fn what_is_transparent_lies_on_the_colour_that_is_asked_for() {
    let pixels = [[0, 0, 0, 0], [20, 20, 220, 255], [0, 0, 0, 0], [220, 20, 20, 128]];
    let rgba: Vec<u8> =
        (0..64 * 64).flat_map(|at| pixels[usize::from(at % 64 >= 32) + 2 * usize::from(at / 64 >= 32)]).collect();
    let file = png(64, 64, png::ColorType::Rgba, &rgba);
    let recipe = Recipe { background: GREEN, ..Recipe::default() };
    let shown = render(&clean(&file), &recipe).unwrap();
    near(seen(&shown.main.jpeg), [GREEN, BLUE, GREEN, [120, 110, 20]]);
}

#[test]
fn four_colours_and_grey_are_read() {
    let (width, height) = (64_u16, 64_u16);
    // All ink but yellow: dark blue would be two of them; yellow alone is what is left without the others.
    let ink: Vec<u8> = (0..64 * 64).flat_map(|_| [0, 0, 255, 0]).collect();
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    encoder.encode(&ink, width, height, jpeg_encoder::ColorType::Cmyk).unwrap();
    near(seen(&rendered(&file).main.jpeg), [[255, 255, 0]; 4]);
    let file = png(64, 64, png::ColorType::Grayscale, &[120; 64 * 64]);
    let shown = rendered(&file);
    near(seen(&shown.main.jpeg), [[120; 3]; 4]);
    assert_eq!(shown.colour, "#787878");
}

#[test]
fn a_profile_is_heeded_and_then_gone() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let file = jpeg(64, 64, |encoder| encoder.add_icc_profile(&profile).unwrap());
    let clean = clean(&file);
    assert!(contains(&clean.bytes, b"ICC_PROFILE"), "kept, for it says what the colours are");
    let shown = rendered(&file);
    assert!(!contains(&shown.main.jpeg, b"ICC_PROFILE"));
    let [red, green, ..] = seen(&shown.main.jpeg);
    assert!(red[0] > 230 && green[0] < 10, "colours of a wider space are further out in ours: {red:?} {green:?}");
}

#[test]
fn the_same_is_made_of_what_was_kept() {
    for (file, ..) in SAMPLES {
        let once = clean(file);
        let again = clean(&once.bytes);
        assert_eq!(again.bytes, once.bytes);
        assert_eq!(rendered(&once.bytes), rendered(file));
    }
}

#[test]
fn a_comment_is_taken_out() {
    let mut file = jpeg(32, 32, |_| ());
    file.splice(2..2, b"\xff\xfe\x00\x10taken at home".iter().copied().chain([0]));
    assert!(!contains(&clean(&file).bytes, b"at home"));
}

#[test]
fn pictures_that_phones_put_behind_the_picture_are_left_behind() {
    let file = jpeg(64, 32, |_| ());
    let mut two = file.clone();
    two.extend_from_slice(&[0; 7]);
    two.extend_from_slice(&jpeg(16, 16, |encoder| encoder.add_exif_metadata(&exif(1)).unwrap()));
    assert_eq!(clean(&two).bytes, clean(&file).bytes);
    two.extend_from_slice(b"more");
    assert_eq!(refused(&two), Fault::Trailing(Format::Jpeg));
}

#[test]
fn what_is_no_picture_is_refused() {
    for file in [
        &b""[..],
        b"\xff\xd8",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><html></html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"BM\x00\x00",
        b"MZ\x90\x00",
        b"RIFF\x10\0\0\0WAVEfmt ",
    ] {
        assert_eq!(refused(file), Fault::NotAPicture, "{file:?}");
    }
    // The lines ended in another way: the signature is made to notice.
    for damaged in [sample!("pngsuite_xlfn0g04.png"), sample!("pngsuite_xs1n0g01.png")] {
        assert_eq!(refused(damaged), Fault::NotAPicture);
    }
    for damaged in [sample!("pngsuite_xcsn0g01.png"), sample!("pngsuite_xd0n2c08.png")] {
        assert!(matches!(refused(damaged), Fault::Damaged(Format::Png, _)));
    }
}

#[test]
fn what_is_something_else_as_well_is_refused() {
    for (file, format, _) in SAMPLES {
        let with = |more: &[u8]| [file, more].concat();
        assert_eq!(refused(&with(b"<script>alert(1)</script>")), Fault::Trailing(format));
        assert_eq!(refused(&with(b"PK\x03\x04and so on")), Fault::Trailing(format));
        assert_eq!(inspect(&with(&[0; 8]), MOST).map(|clean| clean.format), Ok(format), "padding says nothing");
    }
    let mut page = jpeg(32, 32, |_| ());
    page.splice(2..2, b"\xff\xfe\x00\x1b<script>alert(1)</script>".iter().copied());
    assert_eq!(refused(&page), Fault::Foreign(Format::Jpeg, "a web page"));
    let mut program = jpeg(32, 32, |encoder| encoder.add_exif_metadata(b"II*\0<?php phpinfo();").unwrap());
    assert_eq!(refused(&program), Fault::Foreign(Format::Jpeg, "a PHP program"));
    // An archive whose end lies in a comment.
    program = jpeg(32, 32, |_| ());
    let record = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x30\0\0\0\x10\0\0\0\x00\x00";
    program.splice(2..2, [&b"\xff\xfe\x00\x18"[..], record].concat());
    assert_eq!(refused(&program), Fault::Foreign(Format::Jpeg, "an archive"));
}

#[test]
fn too_many_pixels_are_refused_by_the_header() {
    let size = |at: usize, file: &[u8], bytes: &[u8]| {
        let mut file = file.to_vec();
        file.splice(at..at + bytes.len(), bytes.iter().copied());
        file
    };
    let too_many = |width, height| Fault::TooManyPixels { width, height, most: MOST };
    let png_file = png(16, 16, png::ColorType::Grayscale, &[0; 256]);
    assert_eq!(refused(&size(16, &png_file, &[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])), too_many(30_000, 30_000));
    assert_eq!(refused(&size(16, &png_file, &[0xff; 8])), too_many(u32::MAX, u32::MAX));
    let jpeg_file = jpeg(16, 16, |_| ());
    let frame = jpeg_file.windows(2).position(|window| window == [0xff, 0xc0]).unwrap();
    assert_eq!(refused(&size(frame + 5, &jpeg_file, &[0x75, 0x30, 0x75, 0x30])), too_many(30_000, 30_000));
    assert_eq!(refused(&size(6, sample!("anim.gif"), &[0x30, 0x75, 0x30, 0x75])), too_many(30_000, 30_000));
    assert_eq!(refused(&size(24, sample!("anim.webp"), &[0x2f, 0x75, 0, 0x2f, 0x75, 0])), too_many(30_000, 30_000));
    // All is black, so that 64 million pixels are few bytes.
    let bomb = png(8000, 8000, png::ColorType::Grayscale, &vec![0; 64_000_000]);
    assert!(bomb.len() < 100_000);
    assert_eq!(refused(&bomb), too_many(8000, 8000));
}

#[test]
fn a_picture_that_says_less_than_it_holds_is_refused() {
    let mut file = png(64, 64, png::ColorType::Grayscale, &[9; 64 * 64]);
    let whole = file.clone();
    // A quarter of the height, with the checksum that belongs to it.
    file[16..24].copy_from_slice(&[0, 0, 0, 64, 0, 0, 0, 16]);
    let sum = crc(&file[12..29]);
    file[29..33].copy_from_slice(&sum.to_be_bytes());
    assert!(inspect(&whole, MOST).is_ok());
    // What is too much is not unfolded.
    let shown = inspect(&file, MOST).and_then(|clean| render(&clean, &Recipe::default()));
    assert!(shown.is_err() || shown.unwrap().main.height == 16);
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
        sum
    })
}

#[test]
fn a_file_that_breaks_off_anywhere_is_refused() {
    for (file, format, _) in SAMPLES {
        let step = (file.len() / 200).max(1);
        for end in (0..file.len()).step_by(step).chain(file.len() - 3..file.len()) {
            let fault = refused(&file[..end]);
            assert!(matches!(fault, Fault::NotAPicture | Fault::Damaged(..)), "{format} cut at {end}: {fault:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_change_of_a_file_does_more_than_have_it_refused(
        which in 0..SAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = SAMPLES[which].0.to_vec();
        // Most of what can go wrong lies near the beginning.
        for (at, byte) in changes {
            let reach = if byte % 2 == 0 { file.len() } else { file.len().min(200) };
            file[at.index(reach)] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Ok(clean) = inspect(&file, 1) && let Ok(shown) = render(&clean, &Recipe::default()) {
            prop_assert_eq!((shown.thumbnail.width, shown.thumbnail.height), (300, 300));
        }
    }

    #[test]
    fn noise_behind_a_signature_is_refused(which in 0..SAMPLES.len(), noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        let file = [&SAMPLES[which].0[..12], &noise].concat();
        if let Ok(clean) = inspect(&file, 1) {
            let _ = render(&clean, &Recipe::default());
        }
    }
}
