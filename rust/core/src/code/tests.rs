use crate::code::{Code, Options, compile};
use crate::typed::build::{Recorder, gcd, module};

fn rss() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[ignore]
fn measure() {
    let module = module(vec![gcd()]);
    let options = Options { verify: false, ..Options::default() };
    for _ in 0..500 { drop(compile(&module, &options).unwrap()); }
    let mut links: Vec<f64> = (0..3000).map(|_| compile(&module, &options).unwrap().timings().link).collect();
    links.sort_by(f64::total_cmp);
    println!("link dropped at once: median {:.2} p10 {:.2}", links[1500], links[300]);
    let before = rss();
    let codes: Vec<Code> = (0..20_000).map(|_| compile(&module, &options).unwrap()).collect();
    println!("rss per code {}, size of Code {}", (rss() - before) / codes.len(), size_of::<Code>());
    let mut links: Vec<f64> = codes.iter().map(|code| code.timings().link).collect();
    links.sort_by(f64::total_cmp);
    println!("link kept: median {:.2} p10 {:.2}", links[10000], links[2000]);
    println!("maps {}", std::fs::read_to_string("/proc/self/maps").unwrap().lines().count());
    let start = std::time::Instant::now();
    let n = codes.len();
    drop(codes);
    println!("drop {:.2} us", start.elapsed().as_secs_f64() * 1e6 / n as f64);
    let mut host = Recorder::default();
    let code = compile(&module, &options).unwrap();
    let mut out = [0];
    code.run(&[12, 18], &mut out, &mut host).unwrap();
}
