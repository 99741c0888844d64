use super::*;
use crate::problem::judge;
use proptest::prelude::*;

fn lines(text: &str, fields: &Fields) -> Result<Vec<Problem>, FileError> {
    json_lines(text, fields, "f")
}

fn table(text: &str, fields: &Fields) -> Result<Vec<Problem>, FileError> {
    let mut reader = Reader::new("f", "f", "line", fields);
    csv(text, ',', &mut reader)?;
    reader.problems()
}

fn mapped(mappings: &[&str]) -> Fields {
    let mut fields = Fields::default();
    mappings.iter().for_each(|m| fields.map(m).unwrap());
    fields
}

#[test]
fn json_lines_are_problems() {
    let text = "{\"prompt\":\"1+1?\",\"answer\":2,\"id\":\"a\",\"task\":\"mathematics\",\"level\":3}\n\n\
                {\"question\":\"Q\",\"answer\":\"7\",\"metadata\":{\"source_dataset\":\"leg_counting\",\"source_index\":4}}\n\
                {\"problem\":\"Which?\",\"answer\":\"B\",\"choices\":[\"x\",\"y\"]}\n";
    let all = lines(text, &Fields::default()).unwrap();
    assert_eq!((all[0].id.as_str(), all[0].reference.as_deref()), ("a", Some("2")));
    assert_eq!(all[0].metadata["level"], 3);
    assert_eq!((all[1].id.as_str(), all[1].task.as_deref()), ("leg_counting/4", Some("leg_counting")));
    assert_eq!((all[2].id.as_str(), all[2].task.as_deref()), ("f/2", Some("multiple_choice")));
    assert_eq!(all[2].prompt, "Which?\nA. x\nB. y");
}

#[test]
fn the_fields_of_known_data_sets_need_no_mapping() {
    let reference = |line: &str| lines(line, &Fields::default()).unwrap().remove(0).reference.unwrap();
    // GSM8K, MATH, OlympiadBench, AIME, verl.
    assert_eq!(reference(r#####"{"question":"q","answer":"9 + 9 = 18\n#### 18"}"#####), "18");
    assert_eq!(reference(r#"{"problem":"p","solution":"So \\boxed{\\frac{1}{2}}."}"#), "\\frac{1}{2}");
    assert_eq!(reference(r#"{"question":"q","final_answer":["2"],"solution":["long"]}"#), "2");
    assert_eq!(reference(r#"{"id":60,"problem":"p","answer":"204"}"#), "204");
    let verl = r#"{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],
        "reward_model":{"style":"rule","ground_truth":"5"}}"#;
    let read = lines(&verl.replace('\n', ""), &Fields::default()).unwrap().remove(0);
    assert_eq!((read.prompt.as_str(), read.reference.as_deref()), ("s\n\nq", Some("5")));
    assert_eq!(read.task.as_deref(), Some("mathematics"));
}

#[test]
fn choices_are_asked_and_a_number_is_a_place() {
    let line = r#"{"question":"Q","choices":["4","2","1"],"answer":2}"#;
    let p = lines(line, &Fields::default()).unwrap().remove(0);
    assert_eq!((p.prompt.as_str(), p.reference.as_deref()), ("Q\nA. 4\nB. 2\nC. 1", Some("C")));
    assert!(judge(&p, "#### C").correct && !judge(&p, "#### B").correct);
    let wrong = lines(&line.replace(":2}", ":3}"), &Fields::default()).unwrap_err().to_string();
    assert!(wrong.starts_with("f, line 1: the answer 3 is the place of none of its 3 choices"), "{wrong}");
    let p = table("question,A,B,answer\nQ,x,y,B", &mapped(&["choices=A|B"])).unwrap().remove(0);
    assert_eq!(p.prompt, "Q\nA. x\nB. y");
    assert!(judge(&p, "(B)").correct);
}

#[test]
fn fields_are_mapped_also_into_others() {
    let text = r#"{"item":{"q":"1+1","gold":[2]},"key":"a"}"#;
    let fields = mapped(&["prompt=item.q", "answer = item.gold", "id=key"]);
    let p = lines(text, &fields).unwrap().remove(0);
    assert_eq!((p.id.as_str(), p.prompt.as_str(), p.reference.as_deref()), ("a", "1+1", Some("2")));
    let said = lines(text, &mapped(&["prompt=item.q", "answer=gold"])).unwrap_err().to_string();
    assert!(said.contains("no field `gold`; it has item, key. Map it with --field answer=NAME"), "{said}");
    let mut fields = Fields::default();
    assert!(fields.map("gold").unwrap_err().to_string().contains("write prompt=NAME"));
    assert!(fields.map("gold=x").unwrap_err().to_string().contains("no `gold`"));
}

#[test]
fn a_grader_judges_what_names_no_task() {
    let graded = |grader: &str| Fields { grader: Grader::parse(grader).unwrap(), ..Fields::default() };
    let right = |grader: &str, answer: &str| {
        let p = lines(r#"{"prompt":"q","answer":"1.5"}"#, &graded(grader)).unwrap().remove(0);
        judge(&p, &format!("#### {answer}")).correct
    };
    assert!(right("mathematics", "3/2") && !right("exact", "3/2") && right("exact", "1.5"));
    assert!(right("regex", "1x5") && right("regex:{reference}0*", "1.500"));
    assert!(!right("regex:{reference}0*", "1x5"));
    let named = lines(r#"{"prompt":"q","answer":"1","task":"dice"}"#, &graded("exact")).unwrap();
    assert_eq!(named[0].task.as_deref(), Some("dice"));
    assert!(
        Grader::parse("sudoku").unwrap_err().to_string().contains("regex:PATTERN or one of leg_counting")
    );
    assert!(Grader::parse("regex:(").unwrap_err().to_string().starts_with("`(` is no regular expression"));
}

#[test]
fn ids_are_unique_or_refused() {
    let said = |text: &str| lines(text, &Fields::default()).unwrap_err().to_string();
    let twice = "{\"id\":1,\"prompt\":\"x\"}\n{\"id\":1,\"prompt\":\"y\"}";
    assert!(said(twice).contains("line 2: the id \"1\" was there before"));
    let ids = |all: Vec<Problem>| all.into_iter().map(|p| p.id).collect::<Vec<_>>();
    assert_eq!(ids(lines(twice, &mapped(&["id="])).unwrap()), ["f/0", "f/1"]);
    let item = r#"{"question":"Q","answer":"7","metadata":{"source_dataset":"sudoku","source_index":4}}"#;
    let all = lines(&format!("{item}\n{item}"), &Fields::default()).unwrap();
    assert_eq!(all[0].task.as_deref(), Some("exact_match"));
    assert_eq!(ids(all), ["sudoku/4", "sudoku/4#2"]);
}

#[test]
fn csv_cells_hold_what_they_quote() {
    let text = "id,frage,answer\r\n1,\"a, \"\"b\"\"\nc\",4\r\n\r\n2,d,5";
    let all = table(text, &mapped(&["prompt=frage"])).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].prompt.as_str(), all[1].prompt.as_str()), ("a, \"b\"\nc", "d"));
    assert_eq!(all[1].task.as_deref(), Some("mathematics"));
}

#[test]
fn an_array_is_read_up_to_the_number_asked_for() {
    let fields = Fields::default();
    let mut reader = Reader::new("f.json", "f", "item", &fields).at_most(1);
    json_array(r#"[{"prompt":"a"},{"prompt":"b"}]"#, &mut reader).unwrap();
    assert_eq!(reader.problems().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let said = |r: Result<Vec<Problem>, FileError>| r.unwrap_err().to_string();
    let d = Fields::default();
    assert!(said(lines("{\"prompt\":\"x\"}\n[1]", &d)).starts_with("f, line 2: this is no JSON object"));
    assert!(
        said(lines("{\"text\":1}", &d)).contains("no field `prompt` or `question` or `problem`; it has text")
    );
    assert!(said(lines("{\"prompt\":\"x\",\"task\":\"y\"}", &d)).contains("no task `y`"));
    assert!(said(lines("", &d)).contains("no problem"));
    assert!(said(table("", &d)).contains("no problem"));
    assert!(said(table("prompt,answer\nx", &d)).contains("line 2: the row has 1 cells and the header 2"));
    assert!(said(table("prompt\n\"x", &d)).contains("line 2: a quoted cell has no end"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z\",{}:\n\r é]{0,80}") {
        let fields = mapped(&["prompt=a"]);
        let _ = (lines(&text, &fields), table(&text, &fields));
    }
}
