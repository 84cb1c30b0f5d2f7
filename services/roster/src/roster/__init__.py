"""学籍・名簿: boards, schools, people, classes, enrolment and duties."""
